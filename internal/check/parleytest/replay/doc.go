// Package replay holds the documents that frontends have, of this version and of
// those before, and replays them against the server: what was valid once stays
// so (docs/decisions/0022-clients-and-stored-documents.md).
//
// testdata/documents only grows. Its SHA256SUMS names every document with its
// hash, so that none is changed or taken away unseen.
package replay
