// Package fakeaws is an HTTP fake of the AWS services that safeguards talk to: ElastiCache (Query protocol), MemoryDB,
// SQS, KMS and CloudTrail (JSON), STS and the few EC2 calls about networks.
//
// It is for tests of what a scanner and a remover do when AWS is slow, throttles, fails half-way, or changes under their
// feet. It is not a place to keep data, and it has only the calls that Lethe makes.
//
// Its invariant: a request that AWS's published service model does not allow is refused as AWS refuses it. The model is
// entered as facts in the *.shapes files; every request's members, enumerations, ranges and lists are checked against it,
// and its Signature Version 4 is computed again from the secret key. What is done takes effect when its time has come on
// the fake's clock, so under testing/synctest hours pass at once.
//
// The tests of packages awsapi, remedy, watch and cli call it; nothing that ships does.
package fakeaws
