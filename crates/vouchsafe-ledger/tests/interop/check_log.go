// Judges what a log published with golang.org/x/mod/sumdb/note and tlog, which share no code with this workspace.
//
// Usage: check_log < CASES. Each case is a line of JSON (see matrix.py); for each, a line "ID accepted",
// "ID refused REASON" or "ID crashed REASON" is printed.
//
// tlog.ParseTree and Tile.Path know the format of go.sum's database only, so the checkpoint's three lines and the
// tile paths of C2SP tlog-tiles are read here. tlog.TileHashReader does not authenticate every tile, so the root is
// computed from the leaves, and every tile is compared with what they give.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A question; []byte is base 64 in JSON.
type question struct {
	ID      int
	Op      string
	Key     string
	Origin  string
	Note    []byte
	Receipt []byte
	Leaf    []byte
	Index   int64
	Size    int64
	Root    []byte
	OldSize int64  `json:"old_size"`
	OldRoot []byte `json:"old_root"`
	Proof   [][]byte
	Log     string
	// Files that differ from those in the folder; null is a missing one.
	Changes map[string][]byte
}

type refusal string

func refuse(format string, arguments ...interface{}) {
	panic(refusal(fmt.Sprintf(format, arguments...)))
}

func (q *question) read(path string) []byte {
	data, changed := q.Changes[path]
	if !changed {
		var err error
		if data, err = os.ReadFile(filepath.Join(q.Log, path)); err != nil {
			refuse("%s cannot be read", path)
		}
	} else if data == nil {
		refuse("%s is missing", path)
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
	if err != nil {
		refuse("hash is malformed")
	}
	return toHash(raw)
}

func toHash(raw []byte) tlog.Hash {
	var hash tlog.Hash
	if len(raw) != tlog.HashSize {
		refuse("hash has another length")
	}
	copy(hash[:], raw)
	return hash
}

func toHashes(raw [][]byte) (hashes []tlog.Hash) {
	for _, hash := range raw {
		hashes = append(hashes, toHash(hash))
	}
	return hashes
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

func (q *question) entries(size int64) [][]byte {
	var leaves [][]byte
	for start := int64(0); start < size; start += 256 {
		width := size - start
		if width > 256 {
			width = 256
		}
		data := q.read(tilePath("entries", start/256, int(width)))
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

func (q *question) checkLog() {
	size, root := openCheckpoint(q.read("checkpoint"), q.Key, q.Origin)
	reader := storedHashes(q.entries(size))
	if computed, err := tlog.TreeHash(size, reader); err != nil || computed != root {
		refuse("entries do not give the signed root")
	}
	for _, tile := range tlog.NewTiles(8, 0, size) {
		// NewTiles lists every narrower partial tile too; the checkpoint requires the widest.
		if hashes := size >> (8 * uint(tile.L)); tile.W < 256 && int64(tile.W) != hashes-tile.N*256 {
			continue
		}
		data, err := tlog.ReadTileData(tile, reader)
		stored := q.read(tilePath(strconv.Itoa(tile.L), tile.N, tile.W))
		if err != nil || !bytes.Equal(data, stored) {
			refuse("tile %d/%d differs from the entries", tile.L, tile.N)
		}
	}
}

func checkInclusion(proof [][]byte, size int64, root tlog.Hash, index int64, leaf []byte) {
	if err := tlog.CheckRecord(toHashes(proof), size, root, index, tlog.RecordHash(leaf)); err != nil {
		refuse("inclusion: %v", err)
	}
}

func (q *question) checkReceipt() {
	parts := strings.SplitN(string(q.Receipt), "\n\n", 2)
	lines := strings.Split(parts[0], "\n")
	if len(parts) != 2 || lines[0] != "c2sp.org/tlog-proof@v1" || len(lines) < 2 {
		refuse("receipt is malformed")
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		refuse("receipt has no index")
	}
	index, err := strconv.ParseInt(lines[0][len("index "):], 10, 64)
	if err != nil {
		refuse("receipt index: %v", err)
	}
	var proof [][]byte
	for _, line := range lines[1:] {
		hash := parseHash(line)
		proof = append(proof, hash[:])
	}
	size, root := openCheckpoint([]byte(parts[1]), q.Key, q.Origin)
	checkInclusion(proof, size, root, index, q.Leaf)
}

func (q *question) checkConsistency() {
	proof, root, oldRoot := toHashes(q.Proof), toHash(q.Root), toHash(q.OldRoot)
	if err := tlog.CheckTree(proof, q.Size, root, q.OldSize, oldRoot); err != nil {
		refuse("consistency: %v", err)
	}
}

func (q *question) verdict() (verdict string) {
	defer func() {
		switch reason := recover().(type) {
		case nil:
		case refusal:
			verdict = "refused " + string(reason)
		default:
			verdict = fmt.Sprintf("crashed %v", reason)
		}
	}()
	switch q.Op {
	case "checkpoint":
		openCheckpoint(q.Note, q.Key, q.Origin)
	case "inclusion":
		checkInclusion(q.Proof, q.Size, toHash(q.Root), q.Index, q.Leaf)
	case "receipt":
		q.checkReceipt()
	case "consistency":
		q.checkConsistency()
	case "log":
		q.checkLog()
	default:
		return "crashed unknown question"
	}
	return "accepted"
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%d %s\n", q.ID, strings.ReplaceAll(q.verdict(), "\n", " "))
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
