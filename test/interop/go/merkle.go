// merkle verifies with transparency-dev's own libraries: the checkpoint and its cosignature of a tlog-proof, and the path.
// merkle LOGVKEY WITNESSVKEY LEAF PROOF
package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

func check(vkey, witness string, leaf, text []byte) error {
	head, checkpoint, _ := strings.Cut(string(text), "\n\n")
	lines := strings.Split(head, "\n")
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	path := [][]byte{}
	for _, line := range lines[3:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		path = append(path, hash)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return err
	}
	cosigner, err := fnote.NewVerifierForCosignatureV1(witness)
	if err != nil {
		return err
	}
	parsed, _, signed, err := log.ParseCheckpoint([]byte(checkpoint), verifier.Name(), verifier, cosigner)
	if err != nil {
		return err
	}
	if len(signed.Sigs) != 2 {
		return errors.New("not signed by the log and its witness")
	}
	hashed := rfc6962.DefaultHasher.HashLeaf(leaf)
	return proof.VerifyInclusion(rfc6962.DefaultHasher, index, parsed.Size, hashed, path, parsed.Hash)
}

func main() {
	leaf, err := os.ReadFile(os.Args[3])
	if err == nil {
		var text []byte
		if text, err = os.ReadFile(os.Args[4]); err == nil {
			err = check(os.Args[1], os.Args[2], leaf, text)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ok")
}
