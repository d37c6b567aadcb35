package script

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// block rewrites the statements of a block.
func (r *rewriter) block(stmts []ast.Stmt) []ast.Stmt {
	outer := r.fn.locals
	defer func() { r.depth, r.fn.locals = r.depth-1, outer }()
	if !r.enter(1) {
		return stmts
	}
	out := make([]ast.Stmt, 0, len(stmts))
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.LocalAssignStmt:
			out = r.local(out, s)
			r.fn.locals += len(s.Names)
		case *ast.AssignStmt, *ast.FuncCallStmt, *ast.FuncDefStmt, *ast.ReturnStmt, *ast.BreakStmt:
			out = append(out, r.simple(s))
		default:
			r.compound(s)
			out = append(out, r.marked(s))
		}
	}
	return out
}

// simple rewrites a statement that holds no block.
func (r *rewriter) simple(s ast.Stmt) ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return r.assign(s)
	case *ast.FuncCallStmt:
		r.statementCall(s)
	case *ast.FuncDefStmt:
		return r.define(s)
	case *ast.ReturnStmt:
		r.expressions(s.Exprs)
	}
	return s
}

// The variables that gopher-lua keeps for a loop, beside those of the source.
const numericLoopLocals, genericLoopLocals = 3, 3

// compound rewrites a statement that holds blocks.
func (r *rewriter) compound(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.DoBlockStmt:
		s.Stmts = r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = condition(r.expr(s.Condition))
		s.Stmts = r.block(s.Stmts)
	case *ast.RepeatStmt:
		s.Stmts = r.loop(s.Stmts, 0)
		s.Condition = condition(r.expr(s.Condition))
	case *ast.IfStmt:
		s.Condition = condition(r.expr(s.Condition))
		s.Then, s.Else = r.block(s.Then), r.block(s.Else)
	case *ast.NumberForStmt:
		s.Init = r.bound(s.Init, "initial value")
		s.Limit = r.bound(s.Limit, "limit")
		s.Step = r.bound(s.Step, "step")
		s.Stmts = r.loop(s.Stmts, numericLoopLocals+1)
	case *ast.GenericForStmt:
		r.expressions(s.Exprs)
		s.Stmts = r.loop(s.Stmts, genericLoopLocals+len(s.Names))
	case *ast.GotoStmt, *ast.LabelStmt:
		// Lua 5.1 has no goto: there it would be a name.
		r.line = s.Line()
		r.fail("'=' expected")
	}
}

// loop rewrites the body of a loop that has variables of its own. It begins with a mark: gopher-lua mistakes where it jumps
// to when a loop begins with a jump.
func (r *rewriter) loop(stmts []ast.Stmt, variables int) []ast.Stmt {
	outer := r.fn.locals
	r.fn.locals += variables
	defer func() { r.fn.locals = outer }()
	if len(stmts) == 0 {
		return stmts
	}
	mark := r.mark(stmts[0])
	r.fn.locals++ // the mark itself, which is a variable like others for gopher-lua
	return append([]ast.Stmt{mark}, r.block(stmts)...)
}

// marked puts behind a statement with blocks the declaration of a variable whose name says how many variables live there.
// gopher-lua's own record of where variables end is wrong, and error texts are to name those that live.
func (r *rewriter) marked(s ast.Stmt) ast.Stmt {
	both := &ast.DoBlockStmt{Stmts: []ast.Stmt{s, r.mark(s)}}
	both.SetLine(s.Line())
	return both
}

func (r *rewriter) mark(at ast.Stmt) ast.Stmt {
	none := &ast.NilExpr{}
	none.SetLine(at.Line())
	mark := &ast.LocalAssignStmt{Names: []string{hiddenEnd + strconv.Itoa(r.fn.locals)}, Exprs: []ast.Expr{none}}
	mark.SetLine(at.Line())
	return mark
}

// statementCall rewrites a call that is a statement, which must stay a call.
func (r *rewriter) statementCall(s *ast.FuncCallStmt) {
	defer func() { r.depth-- }()
	if c, ok := s.Expr.(*ast.FuncCallExpr); ok && r.enter(1) {
		r.call(c)
	}
}

// local rewrites the declaration of local variables. gopher-lua takes every single function for one that may call itself,
// which in Lua only "local function" declares; the parser gives that a last line.
func (r *rewriter) local(out []ast.Stmt, s *ast.LocalAssignStmt) []ast.Stmt {
	recursive := len(s.Names) == 1 && len(s.Exprs) == 1 && s.LastLine() != 0
	r.expressions(s.Exprs)
	if !recursive {
		return append(out, s)
	}
	name := &ast.IdentExpr{Value: s.Names[0]}
	name.SetLine(s.Line())
	define := &ast.AssignStmt{Lhs: []ast.Expr{name}, Rhs: s.Exprs}
	define.SetLine(s.Line())
	none := &ast.NilExpr{}
	none.SetLine(s.Line())
	s.Exprs = []ast.Expr{none}
	return append(out, s, define)
}

// bound makes one of the three numbers of a for loop a number, or an error that says which it is.
func (r *rewriter) bound(e ast.Expr, which string) ast.Expr {
	if e == nil {
		return nil
	}
	e = r.expr(e)
	if _, ok := e.(*ast.NumberExpr); ok {
		return e
	}
	name := &ast.StringExpr{Value: which}
	name.SetLine(e.Line())
	return call(e, hookFor, single(e), name)
}

// assign rewrites an assignment. Fields are set by a hook; several targets are evaluated before the values, and assigned
// from the last to the first, as Lua does.
func (r *rewriter) assign(s *ast.AssignStmt) ast.Stmt {
	for i, target := range s.Lhs {
		if field, ok := target.(*ast.AttrGetExpr); ok {
			field.Object, field.Key = r.expr(field.Object), r.expr(field.Key)
		} else {
			s.Lhs[i] = r.expr(target)
		}
	}
	r.expressions(s.Rhs)
	if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
		if field, ok := s.Lhs[0].(*ast.AttrGetExpr); ok {
			return statement(call(s, hookSet, single(field.Object), single(field.Key), single(s.Rhs[0])))
		}
		return s
	}
	if len(s.Lhs) == 1 && !isField(s.Lhs[0]) {
		return s
	}
	return r.assignSeveral(s)
}

func isField(e ast.Expr) bool {
	_, ok := e.(*ast.AttrGetExpr)
	return ok
}

// assignSeveral evaluates into variables of its own first: gopher-lua assigns a, b = b, a one after the other.

func (r *rewriter) assignSeveral(s *ast.AssignStmt) ast.Stmt {
	block := &ast.DoBlockStmt{}
	declare := func(names []string, values []ast.Expr) {
		d := &ast.LocalAssignStmt{Names: names, Exprs: values}
		d.SetLine(s.Line())
		block.Stmts = append(block.Stmts, d)
	}
	use := func(name string) ast.Expr {
		e := &ast.IdentExpr{Value: name}
		e.SetLine(s.Line())
		return e
	}
	var values []string
	for i, target := range s.Lhs {
		n := strconv.Itoa(i)
		values = append(values, hidden+"v"+n)
		if field, ok := target.(*ast.AttrGetExpr); ok {
			declare([]string{hidden + "t" + n}, []ast.Expr{single(field.Object)})
			declare([]string{hidden + "k" + n}, []ast.Expr{single(field.Key)})
		}
	}
	declare(values, s.Rhs)
	for i := len(s.Lhs) - 1; i >= 0; i-- {
		n := strconv.Itoa(i)
		if _, ok := s.Lhs[i].(*ast.AttrGetExpr); ok {
			block.Stmts = append(block.Stmts, statement(call(s, hookSet, use(hidden+"t"+n), use(hidden+"k"+n), use(values[i]))))
			continue
		}
		a := &ast.AssignStmt{Lhs: []ast.Expr{s.Lhs[i]}, Rhs: []ast.Expr{use(values[i])}}
		a.SetLine(s.Line())
		block.Stmts = append(block.Stmts, a)
	}
	return r.marked(block)
}

// define rewrites the definition of a named function: of a method, it gets a parameter more.
func (r *rewriter) define(s *ast.FuncDefStmt) ast.Stmt {
	target := s.Name.Func
	if target == nil {
		s.Func.ParList.Names = append([]string{"self"}, s.Func.ParList.Names...)
		name := &ast.StringExpr{Value: s.Name.Method}
		name.SetLine(s.Line())
		field := &ast.AttrGetExpr{Object: s.Name.Receiver, Key: name}
		field.SetLine(s.Line())
		target = field
	}
	a := &ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{s.Func}}
	a.SetLine(s.Line())
	return r.assign(a)
}
