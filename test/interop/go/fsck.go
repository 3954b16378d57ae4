// fsck recomputes a whole log from its entry bundles with Tessera's own checker: fsck FOLDER VKEY.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

func hashes(bundle []byte) ([][]byte, error) {
	read := api.EntryBundle{}
	if err := read.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	all := [][]byte{}
	for _, entry := range read.Entries {
		all = append(all, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return all, nil
}

func main() {
	verifier, err := note.NewVerifier(os.Args[2])
	if err != nil {
		fail(err)
	}
	// With fewer workers than there are mismatches, version 1.0.4 never ends on a damaged log.
	opts := fsck.Opts{N: 64}
	check := fsck.New(verifier.Name(), verifier, &client.FileFetcher{Root: os.Args[1]}, hashes, opts)
	if err := check.Check(context.Background()); err != nil {
		fail(err)
	}
	fmt.Println("ok")
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
