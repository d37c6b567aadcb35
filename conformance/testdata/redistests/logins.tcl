# What stands between Redis's units about users and Lethe, loaded behind the suite's own client.
#
# The units take three things for granted that Lethe grants nobody: passwords of any length, users without one (nopass), and
# connections that are the default user's without a word. So passwords are made longer on their way, nopass is one known
# token, and new connections log in as default. And where a unit has a user give itself permissions, which Lethe refuses,
# the same words are sent by the user "keeper", who has all. What is left of these assumptions shows in the failures that
# redis_failures_acl.go lists.

namespace eval lethe {
    variable anyToken "any-token-will-do-here"
    variable withoutPassword {}
    variable keeper {}
    variable loginFirst 0 ;# requirepass is set: new connections are nobody's
    variable keeperID 0
}

proc ::lethe::token {password} { return "$password-made-long-enough" }

# The token that a connection has to show where Redis's user has the password.
proc ::lethe::shown {user password} {
    variable anyToken
    variable withoutPassword
    if {[dict exists $withoutPassword $user]} {
        if {$user eq "default"} { return $::env(LETHE_DEFAULT_TOKEN) }
        return $anyToken
    }
    return [token $password]
}

proc ::lethe::rules {user words} {
    variable anyToken
    variable withoutPassword
    set out {}
    foreach w $words {
        if {$w eq "nopass"} {
            if {$user ne "default"} { lappend out resetpass ">$anyToken" }
            dict set withoutPassword $user 1
        } elseif {[string index $w 0] in {> <}} {
            if {[string index $w 0] eq ">" && $user ne "default"} { dict unset withoutPassword $user }
            lappend out "[string index $w 0][token [string range $w 1 end]]"
        } elseif {$w eq "reset" && $user eq "default"} {
            # Its token stays, for the suite's connections to log in with.
            lappend out resetkeys resetchannels -@all clearselectors off
            lappend out [lindex [keep config get acl-pubsub-default] 1]
        } else {
            lappend out $w
        }
    }
    return $out
}

# A request in RESP, and its reply, which is one line.
proc ::lethe::line {fd args} {
    set request "*[llength $args]\r\n"
    foreach a $args { append request "$[string length $a]\r\n$a\r\n" }
    puts -nonewline $fd $request
    flush $fd
    return [string trim [gets $fd]]
}

proc ::lethe::login {fd} {
    variable loginFirst
    if {!$loginFirst} { line $fd AUTH default $::env(LETHE_DEFAULT_TOKEN) }
}

# The keeper's answer to a command of ACL; an error is raised as the suite's client does.
proc ::lethe::keep {args} {
    variable keeper
    variable keeperID
    if {$keeper eq {} || [catch {$keeper ping}]} {
        set keeper [::lethe::redis $::host $::port]
        set keeperID $::redis::id
        $keeper auth keeper $::env(LETHE_KEEPER_TOKEN)
    }
    return [$keeper {*}$args]
}

# A block begins with the users of its ACL file, and ends as a server that has just started.
proc ::lethe::begin {overrides} {
    variable loginFirst
    variable withoutPassword
    set loginFirst 0
    set withoutPassword {default 1}
    keep acl log reset
    dict for {name value} $overrides {
        if {$name eq "aclfile"} { file_users $value }
        if {$name eq "user"} { keep acl setuser [lindex $value 0] resetchannels resetkeys {*}[rules [lindex $value 0] [lrange $value 1 end]] }
        if {$name eq "requirepass"} {
            set withoutPassword {}
            catch { keep acl setuser default ">[token $value]" }
            set loginFirst 1
        }
    }
    reconnect
}

proc ::lethe::file_users {name} {
    set f [open "tests/assets/$name"]
    foreach line [split [read $f] "\n"] {
        if {[lindex $line 0] ne "user"} continue
        set user [lindex $line 1]
        keep acl setuser $user {*}[rules $user [lrange $line 2 end]]
    }
    close $f
}

proc ::lethe::end {overrides} {
    variable loginFirst
    set loginFirst 0
    foreach user [keep acl users] {
        if {$user ni {default keeper}} { keep acl deluser $user }
    }
    keep acl setuser default on clearselectors allkeys allchannels allcommands
    dict for {name value} $overrides {
        if {$name eq "requirepass"} { catch { keep acl setuser default "<[token $value]" } }
    }
}

rename redis ::lethe::redis
proc redis {args} {
    set client [uplevel 1 [list ::lethe::redis {*}$args]]
    ::lethe::login $::redis::fd($::redis::id)
    return $client
}

rename ::redis::__dispatch__raw__ ::lethe::dispatch
proc ::redis::__dispatch__raw__ {id method argv} {
    if {$::redis::fd($id) eq {} && $method ne "close"} {
        lassign $::redis::addr($id) host port
        set ::redis::fd($id) [socket $host $port]
        fconfigure $::redis::fd($id) -translation binary
        ::lethe::login $::redis::fd($id)
    }
    set command [string tolower $method]
    set sub [string tolower [lindex $argv 0]]
    if {$id == $::lethe::keeperID} {
        # What it sends is as it should be already.
    } elseif {$command eq "auth" && [llength $argv] == 2} {
        set argv [list [lindex $argv 0] [::lethe::shown {*}$argv]]
    } elseif {$command eq "auth" && [llength $argv] == 1} {
        set argv [list [::lethe::token [lindex $argv 0]]]
    } elseif {$command eq "hello" && [string tolower [lindex $argv 1]] eq "auth"} {
        set argv [lreplace $argv 3 3 [::lethe::shown [lindex $argv 2] [lindex $argv 3]]]
    } elseif {$command eq "acl" && $sub in {setuser deluser list users getuser load save dryrun log} && !$::redis::deferred($id)} {
        if {$sub eq "setuser"} {
            set argv [list $sub [lindex $argv 1] {*}[::lethe::rules [lindex $argv 1] [lrange $argv 2 end]]]
        }
        set reply [::lethe::keep acl {*}$argv]
        if {[lrange $argv 0 2] in {{setuser default on} {setuser newuser reset}}} {
            reconnect ;# Lethe has ended the connections of a user that was, or is, off
        }
        return $reply
    }
    return [uplevel 1 [list ::lethe::dispatch $id $method $argv]]
}
