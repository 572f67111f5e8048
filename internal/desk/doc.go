// Package desk is the room of the use cases, a package for each subject: who may
// see it, what may be done with it, and what streams say of it. The administration,
// the resolvers and the composition import them; they import the ground and the
// contract of providers.
package desk
