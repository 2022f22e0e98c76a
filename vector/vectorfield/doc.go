// Package vectorfield gives PocketBase's collections fields of type "vector", and
// searches their records by nearness.
//
// The numbers of a vector lie in a vector.Store alone, written in the transaction
// that writes the record. The record's own column has a checksum of them, or an
// empty text if there is no vector: so reading and updating records costs nothing
// for their vectors, and Verify can prove that both agree.
//
// Import it for the field type; Register makes the fields work for an app.
package vectorfield
