/* Works through the steps of ../contract_test.go with hiredis and hiredis_ssl, and ends with 1 at the first surprise. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hiredis.h"
#include "hiredis_ssl.h"

#define PATIENT "TENANT001:patient:1"

static redisSSLContext *tls;

static void step(const char *name) {
    printf("ok %s\n", name);
    fflush(stdout);
}

static void fail(const char *what, const char *detail) {
    fprintf(stderr, "%s: %s\n", what, detail ? detail : "");
    exit(1);
}

static redisReply *ask(redisContext *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(c, format, args);
    va_end(args);
    if (!reply) fail(format, c->errstr);
    return reply;
}

static void integer(redisReply *r, long long want) {
    if (r->type != REDIS_REPLY_INTEGER || r->integer != want) fail("not the integer that was expected", r->str);
    freeReplyObject(r);
}

static void text(redisReply *r, const char *want) {
    if ((r->type != REDIS_REPLY_STRING && r->type != REDIS_REPLY_STATUS) || strcmp(r->str, want)) fail(want, r->str);
    freeReplyObject(r);
}

static void nil(redisReply *r) {
    if (r->type != REDIS_REPLY_NIL) fail("not nil", r->str);
    freeReplyObject(r);
}

static void refused(redisReply *r, const char *code) {
    if (r->type != REDIS_REPLY_ERROR || strncmp(r->str, code, strlen(code))) fail(code, r->str);
    freeReplyObject(r);
}

/* elements checks how many elements a reply has and what its last one is; a map's and a set's count too. */
static void elements(redisReply *r, size_t count, const char *last) {
    if (r->elements != count) fail("not as many elements as expected", r->str);
    redisReply *e = r->element[count - 1];
    if (e->type == REDIS_REPLY_ARRAY) e = e->element[e->elements - 1]; /* RESP3 pairs scores with members */
    if (!e->str || strcmp(e->str, last)) fail(last, e->str);
    freeReplyObject(r);
}

static redisContext *open_connection(void) {
    redisContext *c = redisConnect(getenv("LETHE_HOST"), atoi(getenv("LETHE_PORT")));
    if (!c || c->err) fail("cannot connect", c ? c->errstr : NULL);
    if (redisInitiateSSLWithContext(c, tls) != REDIS_OK) fail("cannot speak TLS", c->errstr);
    return c;
}

static redisContext *as(const char *user, const char *token) {
    redisContext *c = open_connection();
    redisReply *r;
    if (atoi(getenv("LETHE_PROTOCOL")) == 3) {
        r = ask(c, "HELLO 3 AUTH %s %s SETNAME hiredis", user, token);
    } else {
        r = ask(c, "AUTH %s %s", user, token);
    }
    if (r->type == REDIS_REPLY_ERROR) fail("cannot log in", r->str);
    freeReplyObject(r);
    return c;
}

static redisContext *application(void) { return as(getenv("LETHE_USER"), getenv("LETHE_TOKEN")); }

static void data(redisContext *c) {
    text(ask(c, "SET %s %b EX 3600", PATIENT, "a record", (size_t)8), "OK");
    text(ask(c, "GET %s", PATIENT), "a record");
    redisReply *ttl = ask(c, "TTL %s", PATIENT);
    if (ttl->integer <= 290 || ttl->integer > 300) fail("PHI is not kept for 300 s", NULL);
    freeReplyObject(ttl);
    nil(ask(c, "GET TENANT001:patient:none"));
    integer(ask(c, "INCRBY TENANT001:ratelimit:app 5"), 5);
    step("strings");

    integer(ask(c, "HSET TENANT001:session:s1 user jane visits 1"), 2);
    integer(ask(c, "HINCRBY TENANT001:session:s1 visits 2"), 3);
    elements(ask(c, "HGETALL TENANT001:session:s1"), 4, "3");
    step("hashes");

    integer(ask(c, "SADD TENANT001:patient:1:allergies latex nuts"), 2);
    integer(ask(c, "SADD TENANT001:patient:2:allergies latex"), 1);
    elements(ask(c, "SINTER TENANT001:patient:1:allergies TENANT001:patient:2:allergies"), 1, "latex");
    step("sets");

    integer(ask(c, "ZADD TENANT001:patient:1:scores 1.5 a 2 b"), 2);
    elements(ask(c, "ZRANGE TENANT001:patient:1:scores 0 -1"), 2, "b");
    elements(ask(c, "ZRANGE TENANT001:patient:1:scores 0 0 WITHSCORES"), atoi(getenv("LETHE_PROTOCOL")) == 3 ? 1 : 2, "1.5");
    step("sorted sets");
}

static void batches(redisContext *c, redisContext *other) {
    for (int i = 0; i < 100; i++) redisAppendCommand(c, "RPUSH TENANT001:patient:1:log %d", i);
    for (int i = 0; i < 100; i++) {
        redisReply *r;
        if (redisGetReply(c, (void **)&r) != REDIS_OK) fail("pipeline", c->errstr);
        integer(r, i + 1);
    }
    step("pipeline");

    text(ask(c, "MULTI"), "OK");
    text(ask(c, "INCR TENANT001:ratelimit:t"), "QUEUED");
    redisReply *r = ask(c, "EXEC");
    if (r->elements != 1 || r->element[0]->integer != 1) fail("EXEC", r->str);
    freeReplyObject(r);
    text(ask(c, "WATCH TENANT001:ratelimit:t"), "OK");
    integer(ask(other, "INCR TENANT001:ratelimit:t"), 2);
    text(ask(c, "MULTI"), "OK");
    text(ask(c, "INCR TENANT001:ratelimit:t"), "QUEUED");
    nil(ask(c, "EXEC"));
    step("transaction");

    const char *add = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    integer(ask(c, "EVAL %s 1 TENANT001:ratelimit:script 10", add), 10);
    r = ask(c, "SCRIPT LOAD %s", add);
    integer(ask(c, "EVALSHA %s 1 TENANT001:ratelimit:script 10", r->str), 20);
    freeReplyObject(r);
    step("scripts");
}

static void waiting(redisContext *c, redisContext *other) {
    redisContext *subscriber = application();
    redisReply *r;
    redisSetPushCallback(subscriber, NULL); /* RESP3: messages come as replies, as in RESP2 */
    r = ask(subscriber, "SUBSCRIBE TENANT001:patient:1:changes");
    if (r->elements != 3 || r->element[2]->integer != 1) fail("SUBSCRIBE", r->str);
    freeReplyObject(r);
    integer(ask(c, "PUBLISH TENANT001:patient:1:changes changed"), 1);
    if (redisGetReply(subscriber, (void **)&r) != REDIS_OK) fail("a message", subscriber->errstr);
    elements(r, 3, "changed");
    redisFree(subscriber);
    step("pub/sub");

    redisAppendCommand(other, "BLPOP TENANT001:patient:1:queue 30");
    int written = 0;
    while (!written) {
        if (redisBufferWrite(other, &written) != REDIS_OK) fail("BLPOP", other->errstr);
    }
    integer(ask(c, "RPUSH TENANT001:patient:1:queue job"), 1);
    if (redisGetReply(other, (void **)&r) != REDIS_OK) fail("BLPOP", other->errstr);
    elements(r, 2, "job");
    nil(ask(other, "BLPOP TENANT001:patient:1:queue 1"));
    step("blocking pop");
}

static void errors(redisContext *c) {
    refused(ask(c, "GET TENANT002:patient:1"), "TENANT ");
    refused(ask(c, "KEYS *"), "NOPERM ");
    redisContext *stranger = open_connection();
    refused(ask(stranger, "GET " PATIENT), "NOAUTH ");
    refused(ask(stranger, "AUTH %s wrong", getenv("LETHE_USER")), "WRONGPASS ");
    redisFree(stranger);
    step("errors");
}

/* hiredis leaves it to the application to connect again. */
static void reconnect(redisContext *c) {
    redisReply *id = ask(c, "CLIENT ID");
    redisContext *operator = as(getenv("LETHE_OPERATOR"), getenv("LETHE_OPERATOR_TOKEN"));
    integer(ask(operator, "CLIENT KILL ID %lld", id->integer), 1);
    freeReplyObject(id);
    redisFree(operator);
    redisReply *r = redisCommand(c, "PING");
    if (r) fail("a killed connection answers", r->str);
    redisContext *again = application();
    text(ask(again, "GET %s", PATIENT), "a record");
    redisFree(again);
    step("reconnect");
}

int main(void) {
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to connections that have ended */
    redisInitOpenSSL();
    redisSSLContextError problem = REDIS_SSL_CTX_NONE;
    tls = redisCreateSSLContext(getenv("LETHE_CA"), NULL, NULL, NULL, NULL, &problem);
    if (!tls) fail("no TLS", redisSSLContextGetError(problem));
    redisContext *c = application(), *other = application();
    text(ask(c, "PING"), "PONG");
    step("connect");
    data(c);
    batches(c, other);
    waiting(c, other);
    errors(c);
    reconnect(c);
    redisFree(c);
    redisFree(other);
    redisFreeSSLContext(tls);
    return 0;
}
