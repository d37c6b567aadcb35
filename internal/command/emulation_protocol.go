package command

// debugProtocol answers with a value of the kind that is asked for.
func debugProtocol(_ *Emulation, c *Call) {
	o := c.Out
	switch string(lower(c.Args[2])) {
	case "string":
		o.BulkString("Hello World")
	case "integer":
		o.Int(12345)
	case "double":
		o.Double(3.141)
	case "null":
		o.Null()
	case "array":
		o.Array(3)
		for i := range 3 {
			o.Int(int64(i))
		}
	case "set":
		o.Set(3)
		for i := range 3 {
			o.Int(int64(i))
		}
	case "map":
		o.Map(3)
		for i := range 3 {
			o.Int(int64(i))
			o.Bool(i == 1)
		}
	case "push":
		o.Push(2)
		o.BulkString("server-cpu-usage")
		o.Int(42)
	case "verbatim":
		o.Verbatim("txt", []byte("This is a verbatim\nstring"))
	case "true":
		o.Bool(true)
	case "false":
		o.Bool(false)
	case "bignum":
		o.BigNumber("1234567999999999999999999999999999999")
	case "attrib":
		if o.RESP3() {
			o.Raw([]byte("|1\r\n$14\r\nkey-popularity\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n"))
		}
		o.BulkString("Some real reply following the attribute")
	default:
		c.Error("ERR Wrong protocol type name. Please use one of the following: string|integer|double|null|array|set|map|attrib|push|verbatim|true|false")
	}
}
