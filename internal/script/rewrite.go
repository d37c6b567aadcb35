package script

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// What gopher-lua's virtual machine does by itself cannot be counted, and some of it differs from Lua 5.1: it joins
// strings, makes tables and closures, fills an array up to the largest index, takes no strings in numeric for loops, and
// reads 010 as 8. The rewriter replaces these in the syntax tree by calls of functions that do it right and count it. The
// functions come to the source as local variables whose names no source can spell.

// hidden begins the names that the rewriter makes.
const hidden = "\x00"

// hiddenEnd begins the names of variables that only mark the end of blocks.
const hiddenEnd = hidden + "end"

// The functions that rewritten code calls; hooks.go has them.
const (
	hookConcat  = hidden + "concat"
	hookSet     = hidden + "set"
	hookTable   = hidden + "table"
	hookClosure = hidden + "closure"
	hookFor     = hidden + "for"
	hookNothing = hidden + "nothing"
)

func hookNames() []string {
	return []string{hookConcat, hookSet, hookTable, hookClosure, hookFor, hookNothing}
}

// maxSyntaxDepth bounds how deep a source may be nested, for the compiler recurses. Arithmetic counts as foldLevels: at
// each level of it the compiler looks for constants in all that is below.
const (
	maxSyntaxDepth = 1000
	foldLevels     = 5
	// maxJoined is how many operands of a..b..c one call takes: each needs a register, of which a function has 200.
	maxJoined = 50
)

// rewriter goes over one source. Its methods change the tree in place.
type rewriter struct {
	depth int
	fn    *scope
	line  int // where the rewriter is
	err   error
}

// mistake is what is wrong with a source, and where.
type mistake struct {
	line int
	text string
}

func (m *mistake) Error() string { return m.text }

// fail notes the first mistake.
func (r *rewriter) fail(text string) {
	if r.err == nil {
		r.err = &mistake{max(r.line, 1), text}
	}
}

// scope is what the rewriter knows of the function that it is in.
type scope struct {
	main      bool // the script itself, whose variable arguments are the hooks
	dots      bool // it has variable arguments
	locals    int  // that live where the rewriter is
	usesDots  bool
	usesNamed bool // mentions "arg", the table that Lua 5.1 makes of variable arguments
}

// rewrite changes the tree of a whole source. main says that its variable arguments are not the caller's to see.
func rewrite(chunk []ast.Stmt, main bool) ([]ast.Stmt, error) {
	r := &rewriter{fn: &scope{main: main, dots: true}}
	if main {
		r.fn.locals = len(hookNames())
	}
	chunk = r.block(chunk)
	return chunk, r.err
}

// enter goes down by some levels of nesting; false when that is too deep.
func (r *rewriter) enter(levels int) bool {
	r.depth += levels
	if r.depth > maxSyntaxDepth {
		r.fail("chunk has too many syntax levels")
	}
	return r.err == nil
}

func (r *rewriter) expressions(list []ast.Expr) {
	for i, e := range list {
		list[i] = r.expr(e)
	}
}

func (r *rewriter) expr(e ast.Expr) ast.Expr {
	levels := 1
	switch e.(type) {
	case nil:
		return nil
	case *ast.ArithmeticOpExpr, *ast.UnaryMinusOpExpr:
		levels = foldLevels
	}
	defer func() { r.depth -= levels }()
	if !r.enter(levels) {
		return e
	}
	if e.Line() > 0 {
		r.line = e.Line()
	}
	return r.rewritten(e)
}

func (r *rewriter) rewritten(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.NumberExpr:
		return r.number(e)
	case *ast.Comma3Expr:
		return r.dots(e)
	case *ast.IdentExpr:
		r.fn.usesNamed = r.fn.usesNamed || e.Value == "arg"
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expr(e.Object), r.expr(e.Key)
	case *ast.TableExpr:
		fields := 0
		for _, f := range e.Fields {
			if f.Key != nil {
				f.Key = r.expr(f.Key)
				fields++
			}
			f.Value = r.expr(f.Value)
		}
		count := &ast.NumberExpr{Value: strconv.Itoa(fields)}
		count.SetLine(e.Line())
		return call(e, hookTable, e, count)
	case *ast.FuncCallExpr:
		r.call(e)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
		return fold(e)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.StringConcatOpExpr:
		return r.concat(e)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expr(e.Lhs), r.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expr(e.Expr)
	case *ast.FunctionExpr:
		r.function(e)
		return call(e, hookClosure, e)
	}
	return e
}

// number writes a literal so that gopher-lua reads what Lua does.
func (r *rewriter) number(e *ast.NumberExpr) ast.Expr {
	f, ok := parseNumber(e.Value)
	if !ok {
		r.fail("malformed number near '" + e.Value + "'")
	}
	e.Value = strconv.FormatFloat(f, 'g', -1, 64)
	return e
}

// dots are the variable arguments; a script of EVAL has none.
func (r *rewriter) dots(e *ast.Comma3Expr) ast.Expr {
	r.fn.usesDots = true
	if !r.fn.dots {
		r.fail("cannot use '...' outside a vararg function near '...'")
	}
	if !r.fn.main {
		return e
	}
	c := call(e, hookNothing)
	c.AdjustRet = e.AdjustRet
	return c
}

func (r *rewriter) call(e *ast.FuncCallExpr) {
	if e.Func != nil {
		e.Func = r.expr(e.Func)
	} else {
		e.Receiver = r.expr(e.Receiver)
	}
	r.expressions(e.Args)
}

// concat joins a whole chain a..b..c by one call, as Lua's own instruction does.
func (r *rewriter) concat(e *ast.StringConcatOpExpr) ast.Expr {
	var parts []ast.Expr
	for {
		parts = append(parts, single(r.expr(e.Lhs)))
		rest, ok := e.Rhs.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		e = rest
	}
	parts = append(parts, single(r.expr(e.Rhs)))
	for len(parts) > maxJoined {
		var groups []ast.Expr
		for len(parts) > 0 {
			n := min(maxJoined, len(parts))
			groups = append(groups, call(e, hookConcat, parts[:n:n]...))
			parts = parts[n:]
		}
		parts = groups
	}
	return call(e, hookConcat, parts...)
}

// function prepares the body of a function expression.
func (r *rewriter) function(e *ast.FunctionExpr) {
	outer := r.fn
	r.fn = &scope{locals: len(e.ParList.Names), dots: e.ParList.HasVargs}
	if e.ParList.HasVargs {
		r.fn.locals++ // "arg"
	}
	e.Stmts = r.block(e.Stmts)
	if e.ParList.HasVargs && !r.fn.usesDots {
		e.Stmts = append([]ast.Stmt{r.argumentTable(e)}, e.Stmts...)
	}
	outer.usesNamed = outer.usesNamed || r.fn.usesNamed
	r.fn = outer
}

// argumentTable counts the table "arg" of a function that uses it, and keeps it from being made for one that does not.
func (r *rewriter) argumentTable(e *ast.FunctionExpr) ast.Stmt {
	var value ast.Expr = &ast.Comma3Expr{}
	hook := hookNothing
	if r.fn.usesNamed {
		value, hook = &ast.IdentExpr{Value: "arg"}, hookTable
	}
	value.SetLine(e.Line())
	return statement(call(e, hook, value))
}

// call makes a call of a hook that is one value, wherever it stands.
func call(at ast.PositionHolder, hook string, args ...ast.Expr) *ast.FuncCallExpr {
	fn := &ast.IdentExpr{Value: hook}
	fn.SetLine(at.Line())
	fn.SetLastLine(at.LastLine())
	c := &ast.FuncCallExpr{Func: fn, Args: args, AdjustRet: true}
	c.SetLine(at.Line())
	c.SetLastLine(at.LastLine())
	return c
}

func statement(c *ast.FuncCallExpr) ast.Stmt {
	s := &ast.FuncCallStmt{Expr: c}
	s.SetLine(c.Line())
	s.SetLastLine(c.LastLine())
	return s
}

// single cuts an expression to its first value.
func single(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
	return e
}

// fold takes a constant out of the left side of "and" and "or". gopher-lua makes jumps of it, and loses its way when one of
// them is the first instruction of a loop.
func fold(e *ast.LogicalOpExpr) ast.Expr {
	truth, constant := truthOf(e.Lhs)
	if !constant {
		return e
	}
	if truth == (e.Operator == "and") {
		return single(e.Rhs)
	}
	return e.Lhs
}

func truthOf(e ast.Expr) (truth, constant bool) {
	switch e.(type) {
	case *ast.TrueExpr, *ast.NumberExpr, *ast.StringExpr:
		return true, true
	case *ast.FalseExpr, *ast.NilExpr:
		return false, true
	}
	return false, false
}

// condition makes a condition that is never true one that has to be evaluated, for the same reason.
func condition(e ast.Expr) ast.Expr {
	switch c := e.(type) {
	case *ast.FalseExpr, *ast.NilExpr:
		return call(e, hookNothing)
	case *ast.LogicalOpExpr:
		c.Lhs, c.Rhs = condition(c.Lhs), condition(c.Rhs)
	case *ast.UnaryNotOpExpr:
		c.Expr = condition(c.Expr)
	}
	return e
}
