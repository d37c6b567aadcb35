// Package fleet makes the gateways in front of one upstream act as one: what is decided at one of them is known to all
// within a second, or the one that does not know it serves no patients' data.
//
// It is for changes of consent, which every gateway has in its own journal and none may miss, and for what else one gateway
// has to tell the others (News). It knows neither the wire between gateways (a Bus, which package seal has) nor what the
// news are about.
//
// The invariant: while Serves answers true, every change that a gateway in touch had acknowledged a second ago is in force
// here. It does not rest on the bus: gateways compare what they have ten times a second, and what was lost on the way is
// asked for again.
//
// cli builds it and joins it with the gateway.
package fleet
