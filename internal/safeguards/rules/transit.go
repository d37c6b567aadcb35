package rules

import "github.com/lethe-cache/lethe/internal/safeguards/model"

// inTransit is about connections.
func inTransit() []Rule {
	citations := []string{"164.312(e)(1)", "164.312(e)(2)(ii)"}
	return []Rule{
		{
			ID: "ENC-TLS-01", Title: "Connections can be encrypted", Severity: model.Critical,
			// ClearDATA's safeguards cite (a)(2)(iv) for connections too; the transmission standard is the nearer one.
			Citations: append(citations, "164.312(a)(2)(iv)"), Controls: []string{"SC-8", "SC-13"},
			Why:   "Without TLS every value and every password crosses the network in the clear.",
			On:    []Scope{managed(clusters()...), server(model.Live)},
			Reads: []model.AnyFact{model.TransitEncryption}, Remedy: Modify, Check: checkTransit,
			Mend: mends(directives("tls-port 6379", "port 0", "tls-cert-file /etc/redis/tls/tls.crt", "tls-key-file /etc/redis/tls/tls.key"),
				code("set `transit_encryption_enabled = true` (aws_memorydb_cluster: `tls_enabled = true`)",
					"set `TransitEncryptionEnabled: true` (AWS::MemoryDB::Cluster: `TLSEnabled: true`)"),
				mend(model.AWS, "aws elasticache modify-replication-group --transit-encryption-enabled --transit-encryption-mode preferred --apply-immediately, move clients to TLS, then mode required; MemoryDB needs a new cluster")),
		},
		{
			ID: "ENC-TLS-02", Title: "Connections without encryption are refused", Severity: model.Critical,
			Citations: citations, Controls: []string{"SC-8"},
			Why:   "Mode preferred looks encrypted in every console and takes plaintext from whoever speaks it.",
			On:    []Scope{managed(elastiCache()...), live(), ofLethe(model.Server)},
			Reads: []model.AnyFact{model.TransitMode, model.TransitEncryption, model.PlaintextRefused}, Remedy: Modify, Check: checkTransitRequired,
			Mend: mends(directives("port 0"),
				code("set `transit_encryption_mode = \"required\"`", "set `TransitEncryptionMode: required`"),
				mend(model.AWS, "aws elasticache modify-replication-group --transit-encryption-mode required --apply-immediately, once no client uses plaintext"),
				mend(model.Lethe, "take away what ends TLS in front of Lethe, which takes no plaintext itself; balancers pass TCP through, with the PROXY protocol and `proxy_from`")),
		},
		{
			ID: "ENC-TLS-03", Title: "There is no port for plaintext", Severity: model.High,
			Citations: citations, Controls: []string{"SC-8", "CM-7"},
			Why:   "A plaintext port beside the TLS port is found and used, by mistake or on purpose.",
			On:    []Scope{server(model.Live), watcher()},
			Reads: []model.AnyFact{model.Port, model.TLSPort}, Remedy: ReportOnly, Check: checkPorts,
			Mend: directives("port 0", "tls-port 6379"),
		},
		{
			ID: "ENC-TLS-04", Title: "Only current versions of TLS are spoken", Severity: model.High,
			Citations: citations, Controls: []string{"SC-8", "SC-13"},
			Why:   "TLS 1.0 and 1.1 are withdrawn (SP 800-52 revision 2, RFC 8996) and can be broken.",
			On:    []Scope{server(model.Live), watcher(), ofLethe(model.Server)},
			Reads: []model.AnyFact{model.TLSVersions, model.TransitEncryption, model.TLSPort}, Remedy: ReportOnly, Check: checkTLSVersions,
			Params: []Param{{"tls13_only", "warn where TLS 1.2 is accepted", true}},
			Mend:   mends(directives(`tls-protocols "TLSv1.3"`), mend(model.Lethe, "take away what ends TLS in front of Lethe, which speaks TLS 1.3 only")),
		},
		{
			ID: "ENC-TLS-05", Title: "No weak cipher suite is accepted", Severity: model.Medium,
			Citations: citations, Controls: []string{"SC-13"},
			Why:   "CBC, RC4, 3DES and key exchange without forward secrecy let recorded traffic be opened later.",
			On:    []Scope{server(model.Live), watcher()},
			Reads: []model.AnyFact{model.TLSWeakSuites, model.TransitEncryption, model.TLSPort}, Remedy: ReportOnly, Check: checkTLSSuites,
			Mend: directives("tls-ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"),
		},
		{
			ID: "ENC-TLS-06", Title: "The server's certificate can be trusted", Severity: model.High,
			Citations: []string{"164.312(e)(2)(i)", "164.312(d)"}, Controls: []string{"SC-8", "IA-3", "SC-12"},
			Why:   "A client that cannot check the certificate talks to whoever answers.",
			On:    []Scope{live(), ofLethe(model.Server, model.LetheData)},
			Reads: []model.AnyFact{model.TLSCertificate, model.TransitEncryption, model.TLSPort}, Remedy: ReportOnly, Check: checkCertificate,
			Params: []Param{{"warn_days", "days before its end from which a certificate is warned about", int64(30)}},
			Mend: mends(mend(model.Lethe, "start Lethe again, which renews its own certificate, with the names of clients in `tls.names`; or give a better one by `tls.cert` and `tls.key`"),
				mend(model.Live, "issue a certificate whose SAN is the name that clients use, from an authority that they trust, with an EC key of 256 bits or RSA of 2048 and SHA-256, and set tls-cert-file and tls-key-file")),
		},
		{
			ID: "ENC-TLS-07", Title: "Clients prove who they are, by certificate or password", Severity: model.Medium,
			Citations: []string{"164.312(d)"}, Controls: []string{"IA-2", "IA-3"},
			Why:   "TLS without either lets everyone on the network in, privately.",
			On:    []Scope{server(model.Live)},
			Reads: []model.AnyFact{model.ClientCertificates, model.AuthRequired}, Remedy: ReportOnly, Check: checkMutualTLS,
			Mend: directives("tls-auth-clients yes", "tls-ca-cert-file /etc/redis/tls/ca.crt"),
		},
		{
			ID: "ENC-TLS-08", Title: "Replication and the cluster bus are encrypted", Severity: model.High,
			Citations: []string{"164.312(e)(1)"}, Controls: []string{"SC-8"},
			Why:   "A TLS port for clients leaves replication, which carries everything, in the clear.",
			On:    []Scope{server(model.Live), watcher(), ofLethe(model.LetheSettings)},
			Reads: []model.AnyFact{model.ReplicationUsed, model.ClusterUsed, model.TLSReplication, model.TLSCluster}, Remedy: ReportOnly,
			Check: checkTLSLinks,
			Mend:  mends(directives("tls-replication yes", "tls-cluster yes"), mend(model.Lethe, "set `upstream: {tls: 1.3}` and `plaintext: off`")),
		},
	}
}

func checkTransit(c *Case) Verdict {
	on, ok := get(c, model.TransitEncryption)
	switch {
	case !ok:
		return c.unknown()
	case on:
		return c.pass("TLS is offered")
	default:
		return c.fail("TLS is not offered")
	}
}

func checkTransitRequired(c *Case) Verdict {
	if c.kind() == model.Server {
		refused, ok := get(c, model.PlaintextRefused)
		switch {
		case !ok:
			return c.unknown()
		case refused:
			return c.pass("a client without TLS is refused")
		default:
			return c.fail("a client without TLS gets an answer")
		}
	}
	if is(c, model.TransitEncryption, false) {
		return c.fail("TLS is not offered, so all connections are plaintext")
	}
	mode, ok := get(c, model.TransitMode)
	switch {
	case !ok:
		return c.unknown()
	case mode == "required":
		return c.pass("TLS is required")
	case mode == "preferred":
		return c.fail("mode preferred takes plaintext connections beside encrypted ones")
	default:
		return c.undecided("the mode is %q, which this release does not know", mode)
	}
}

func checkPorts(c *Case) Verdict {
	port, ok := get(c, model.Port)
	if ok && port != 0 {
		return c.fail("port %d takes plaintext", port)
	}
	tls, known := get(c, model.TLSPort)
	switch {
	case known && tls == 0:
		return c.fail("there is no TLS port")
	case !ok || !known:
		return c.unknown()
	default:
		return c.pass("only the TLS port %d listens", tls)
	}
}

// offersTLS says whether rules about the quality of TLS have a meaning: without any TLS, ENC-TLS-01 says what is wrong.
func offersTLS(c *Case) bool {
	if c.kind() == model.Watcher {
		tls, ok := note(c, model.TLSPort)
		return !ok || tls != 0
	}
	on, ok := note(c, model.TransitEncryption)
	return !ok || on
}

func checkTLSVersions(c *Case) Verdict {
	if !offersTLS(c) {
		return c.notApplicable()
	}
	versions, ok := get(c, model.TLSVersions)
	if !ok {
		return c.unknown()
	}
	has := func(v string) bool {
		for _, w := range versions {
			if v == w {
				return true
			}
		}
		return false
	}
	switch {
	case has("SSLv3") || has("TLSv1") || has("TLSv1.1"):
		return c.fail("a version before TLS 1.2 is accepted")
	case !has("TLSv1.3") && !has("TLSv1.2"):
		return c.undecided("none of the accepted versions is known to this release")
	case has("TLSv1.2") && param[bool](c, "tls13_only"):
		return c.warn("TLS 1.2 is accepted beside TLS 1.3, or in place of it")
	default:
		return c.pass("no version before TLS 1.2 is accepted")
	}
}

func checkTLSSuites(c *Case) Verdict {
	if !offersTLS(c) {
		return c.notApplicable()
	}
	weak, ok := get(c, model.TLSWeakSuites)
	switch {
	case !ok:
		return c.unknown()
	case len(weak) > 0:
		return c.fail("%s accepted", count(len(weak), "weak cipher suite")+map[bool]string{true: " is", false: " are"}[len(weak) == 1])
	default:
		return c.pass("no weak cipher suite is accepted")
	}
}

func checkCertificate(c *Case) Verdict {
	if !offersTLS(c) {
		return c.notApplicable()
	}
	cert, ok := get(c, model.TLSCertificate)
	if !ok {
		return c.unknown()
	}
	left := cert.NotAfter.Sub(c.now)
	switch {
	case left <= 0:
		return c.fail("the certificate ended %s ago", days(-left))
	case c.now.Before(cert.NotBefore):
		return c.fail("the certificate is not valid yet")
	case !cert.NameMatches:
		return c.fail("the certificate does not name the address that was asked for")
	case !cert.ChainValid:
		return c.fail("the certificate is not signed by a trusted authority")
	case cert.KeyType == "RSA" && cert.KeyBits < 2048, cert.KeyType == "ECDSA" && cert.KeyBits < 256:
		return c.fail("the certificate's %s key has only %d bits", cert.KeyType, cert.KeyBits)
	case isSHA1(cert.Signature):
		return c.fail("the certificate is signed with %s", cert.Signature)
	case int64(left.Hours()/24) < param[int64](c, "warn_days"):
		return c.warn("the certificate ends in %s", days(left))
	default:
		return c.pass("the certificate is trusted, names the server and lasts %s", days(left))
	}
}

func isSHA1(signature string) bool {
	switch signature {
	case "SHA1-RSA", "ECDSA-SHA1", "DSA-SHA1", "MD5-RSA", "MD2-RSA":
		return true
	}
	return false
}

func checkMutualTLS(c *Case) Verdict {
	mode, ok := note(c, model.ClientCertificates)
	if ok && mode == "yes" {
		return c.pass("clients must show a certificate")
	}
	auth, known := get(c, model.AuthRequired)
	switch {
	case known && auth:
		return c.pass("clients must show a password")
	case !ok || !known:
		get(c, model.ClientCertificates)
		return c.unknown()
	default:
		return c.fail("clients need neither a certificate nor a password")
	}
}

func checkTLSLinks(c *Case) Verdict {
	link := func(used model.Fact[bool], encrypted model.Fact[bool], what string) (Verdict, bool) {
		u, ok := get(c, used)
		if ok && !u {
			return Verdict{}, false
		}
		e, known := get(c, encrypted)
		switch {
		case known && e:
			return Verdict{}, false
		case !ok || !known:
			return c.unknown(), true
		default:
			return c.fail("%s is not encrypted", what), true
		}
	}
	first := "replication"
	if c.target() == model.Lethe {
		first = "the link to the upstream"
	}
	replication, open := link(model.ReplicationUsed, model.TLSReplication, first)
	if open && replication.Result == model.Fail {
		return replication
	}
	bus, busOpen := link(model.ClusterUsed, model.TLSCluster, "the cluster bus")
	switch {
	case busOpen && bus.Result == model.Fail:
		return bus
	case open:
		return replication
	case busOpen:
		return bus
	default:
		return c.pass("every link to other servers that is used is encrypted")
	}
}
