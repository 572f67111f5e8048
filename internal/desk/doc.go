// Package desk is the room of the use cases, one package for each subject: who may see
// it, what can be done with it, and what streams say about it. The administration, the
// resolvers and the composition import them; they import the ground, package channel and
// ent.
package desk
