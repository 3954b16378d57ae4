// proof verifies a tlog-proof with Torchwood: proof POLICY LEAF PROOF.
package main

import (
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func read(name string) []byte {
	bytes, err := os.ReadFile(name)
	if err != nil {
		fail(err)
	}
	return bytes
}

func main() {
	policy, err := torchwood.ParsePolicy(read(os.Args[1]))
	if err != nil {
		fail(err)
	}
	if err := torchwood.VerifyProof(policy, tlog.RecordHash(read(os.Args[2])), read(os.Args[3])); err != nil {
		fail(err)
	}
	fmt.Println("ok")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
