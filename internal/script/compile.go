package script

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// compile makes a function out of source. The function takes the hooks as its arguments. When main is false it returns
// the source's own function, whose arguments are the source's; else it is that function.
func compile(source []byte, chunk string, main bool) (proto *lua.FunctionProto, err error) {
	defer func() {
		// The parser and the compiler panic on some of what they do not understand; a stranger's source is no bug of Lethe.
		if recover() != nil {
			proto, err = nil, fmt.Errorf("%s:1: syntax error", chunk)
		}
	}()
	if len(source) > maxScriptBytes {
		return nil, fmt.Errorf("%s:1: chunk has too many bytes", chunk)
	}
	if len(source) > 0 && source[0] == '\x1b' {
		return nil, fmt.Errorf("%s: bad binary format", chunk)
	}
	tree, err := parse.Parse(strings.NewReader(string(source)), chunk)
	if err != nil {
		return nil, syntaxError(err, source, chunk)
	}
	if tree, err = rewrite(tree, main); err != nil {
		var m *mistake
		if errors.As(err, &m) {
			return nil, fmt.Errorf("%s:%d: %w", chunk, m.line, m)
		}
		return nil, err
	}
	proto, err = lua.Compile(withHooks(tree, main), chunk)
	var failure *lua.CompileError
	if errors.As(err, &failure) {
		return nil, fmt.Errorf("%s:%d: %s", chunk, failure.Line, failure.Message)
	}
	return proto, err
}

// withHooks puts a declaration of the hooks before a source.
func withHooks(tree []ast.Stmt, main bool) []ast.Stmt {
	dots := &ast.Comma3Expr{}
	dots.SetLine(1)
	hooks := &ast.LocalAssignStmt{Names: hookNames(), Exprs: []ast.Expr{dots}}
	hooks.SetLine(1)
	if main {
		return append([]ast.Stmt{hooks}, tree...)
	}
	body := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: tree}
	result := &ast.ReturnStmt{Exprs: []ast.Expr{body}}
	for _, n := range []ast.PositionHolder{body, result} {
		n.SetLine(1)
		n.SetLastLine(1)
	}
	return []ast.Stmt{hooks, result}
}

// syntaxError words an error of the parser as near to Lua as it can be: gopher-lua's parser does not know what it expected.
func syntaxError(err error, source []byte, chunk string) error {
	var e *parse.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s:1: syntax error", chunk)
	}
	line, near := e.Pos.Line, e.Token
	if line == parse.EOF {
		line, near = 1+strings.Count(string(source), "\n"), "<eof>"
	}
	what := "syntax error"
	if strings.Contains(e.Message, "unterminated string") {
		what = "unfinished string"
	}
	return fmt.Errorf("%s:%d: %s near '%s'", chunk, line, what, near)
}
