import java.time.Duration;
import java.util.List;

import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.cloud.gateway.filter.ratelimit.RateLimiter;
import org.springframework.cloud.gateway.filter.ratelimit.RedisRateLimiter;
import org.springframework.cloud.gateway.support.ConfigurationService;
import org.springframework.core.io.ClassPathResource;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.data.redis.core.ReactiveStringRedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.format.support.DefaultFormattingConversionService;

import reactor.core.publisher.Mono;

/** Works through the steps of ../libraries_test.go with Spring Cloud Gateway's rate limiter and its script. */
public final class GatewayLimiter {
    private static final String ROUTE = "claims";

    private GatewayLimiter() {
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    public static void main(String[] args) throws Exception {
        Lethe.quiet();
        LettuceConnectionFactory factory = Lethe.spring();
        ReactiveStringRedisTemplate template = new ReactiveStringRedisTemplate(factory);
        RedisScript<List<Long>> script = RedisScript.of(new ClassPathResource("META-INF/scripts/request_rate_limiter.lua"),
                (Class) List.class);
        RedisRateLimiter limiter = new RedisRateLimiter(template, script, new ConfigurationService(new DefaultListableBeanFactory(),
                DefaultFormattingConversionService::new, () -> null));
        limiter.getConfig().put(ROUTE, new RedisRateLimiter.Config().setReplenishRate(1).setBurstCapacity(10).setRequestedTokens(5));
        Lethe.same(template.getConnectionFactory().getReactiveConnection().ping().block(), "PONG");
        Lethe.step("connect");

        // Where the script fails, the limiter lets everybody pass, with -1 left: numbers show that it ran.
        RateLimiter.Response first = limiter.isAllowed(ROUTE, "jane").block();
        Lethe.check(first.isAllowed(), "the first request was refused");
        Lethe.same(first.getHeaders().get(RedisRateLimiter.REMAINING_HEADER), "5");
        Lethe.check(limiter.isAllowed(ROUTE, "jane").block().isAllowed(), "the second request was refused");
        Lethe.check(!limiter.isAllowed(ROUTE, "jane").block().isAllowed(), "the third request was let through");
        Lethe.check(limiter.isAllowed(ROUTE, "john").block().isAllowed(), "one user's limit is another's");
        Lethe.step("limit");

        RateLimiter.Response again = limiter.isAllowed(ROUTE, "jane").block();
        for (int i = 0; i < 300 && !again.isAllowed(); i++) { // one token a second
            again = Mono.delay(Duration.ofMillis(100)).then(Mono.defer(() -> limiter.isAllowed(ROUTE, "jane"))).block();
        }
        Lethe.check(again.isAllowed(), "there are no new tokens");
        Lethe.step("refill");

        Duration life = template.getExpire("request_rate_limiter.{" + ROUTE + ".jane}.tokens").block();
        Lethe.check(life.toSeconds() > 0 && life.toSeconds() <= 20, "the tokens live for " + life);
        Lethe.step("keys");
        factory.destroy();
    }
}
