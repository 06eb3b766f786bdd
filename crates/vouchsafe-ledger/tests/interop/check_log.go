// Checks a published log with golang.org/x/mod/sumdb/note and tlog, which share no code with this workspace.
//
// Usage: check_log FOLDER, where FOLDER holds log/, verifier-key, origin, receipt.tlog-proof and leaf.
//
// tlog.ParseTree and Tile.Path know the format of go.sum's database only, so the checkpoint's three lines and the
// tile paths of C2SP tlog-tiles are read here. tlog.TileHashReader does not authenticate every tile, so the root is
// computed from the leaves, and every tile is compared with what they give.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func refuse(format string, arguments ...interface{}) {
	fmt.Fprintf(os.Stderr, "go: refused: "+format+"\n", arguments...)
	os.Exit(1)
}

func read(elements ...string) []byte {
	data, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		refuse("%v", err)
	}
	return data
}

func openCheckpoint(text []byte, key, origin string) (int64, tlog.Hash) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		refuse("verifier key: %v", err)
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		refuse("note: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != origin {
		refuse("checkpoint is not the three lines of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		refuse("tree size: %v", err)
	}
	return size, parseHash(lines[2])
}

func parseHash(text string) tlog.Hash {
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		refuse("hash is malformed")
	}
	var hash tlog.Hash
	copy(hash[:], raw)
	return hash
}

func tilePath(level string, index int64, width int) string {
	elements := fmt.Sprintf("%03d", index%1000)
	for index /= 1000; index > 0; index /= 1000 {
		elements = fmt.Sprintf("x%03d/%s", index%1000, elements)
	}
	path := "tile/" + level + "/" + elements
	if width < 256 {
		path += ".p/" + strconv.Itoa(width)
	}
	return path
}

func readEntries(log string, size int64) [][]byte {
	var leaves [][]byte
	for start := int64(0); start < size; start += 256 {
		width := size - start
		if width > 256 {
			width = 256
		}
		data := read(log, tilePath("entries", start/256, int(width)))
		for len(data) > 0 {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				refuse("entry bundle ends early")
			}
			length := int(binary.BigEndian.Uint16(data))
			leaves = append(leaves, data[2:2+length])
			data = data[2+length:]
		}
		if int64(len(leaves)) != start+width {
			refuse("entry bundle has another width")
		}
	}
	return leaves
}

func storedHashes(leaves [][]byte) tlog.HashReaderFunc {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(i), leaf, reader)
		if err != nil {
			refuse("leaf %d: %v", i, err)
		}
		stored = append(stored, hashes...)
	}
	return reader
}

func checkReceipt(text, leaf []byte, key, origin string) int64 {
	parts := strings.SplitN(string(text), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 2 {
		refuse("receipt is malformed")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		refuse("receipt index: %v", err)
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		proof = append(proof, parseHash(line))
	}
	size, root := openCheckpoint([]byte(parts[1]), key, origin)
	if err := tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(leaf)); err != nil {
		refuse("receipt: %v", err)
	}
	return index
}

func main() {
	if len(os.Args) != 2 {
		refuse("usage: check_log FOLDER")
	}
	folder := os.Args[1]
	log := filepath.Join(folder, "log")
	key, origin := string(read(folder, "verifier-key")), string(read(folder, "origin"))
	size, root := openCheckpoint(read(log, "checkpoint"), key, origin)
	leaves := readEntries(log, size)
	reader := storedHashes(leaves)
	if computed, err := tlog.TreeHash(size, reader); err != nil || computed != root {
		refuse("entries do not give the signed root")
	}
	checked := 0
	for _, tile := range tlog.NewTiles(8, 0, size) {
		// NewTiles lists every narrower partial tile too; the checkpoint requires the widest.
		if hashes := size >> (8 * uint(tile.L)); tile.W < 256 && int64(tile.W) != hashes-tile.N*256 {
			continue
		}
		checked++
		data, err := tlog.ReadTileData(tile, reader)
		stored := read(log, tilePath(strconv.Itoa(tile.L), tile.N, tile.W))
		if err != nil || !bytes.Equal(data, stored) {
			refuse("tile %d/%d differs from the entries", tile.L, tile.N)
		}
	}
	leaf := read(folder, "leaf")
	index := checkReceipt(read(folder, "receipt.tlog-proof"), leaf, key, origin)
	if !bytes.Equal(leaves[index], leaf) {
		refuse("proven leaf is not the one in the log")
	}
	fmt.Printf("go: %d leaves, %d hash tiles and the receipt of leaf %d hold\n", size, checked, index)
}
