// Package replay keeps the documents that frontends have, of this version and of earlier
// ones, and replays them against the server: a document that was once valid stays valid
// (docs/decisions/0022-clients-and-stored-documents.md).
//
// testdata/documents only grows. Its SHA256SUMS names every document with its hash, so
// none is changed or removed unnoticed.
package replay
