package io.netty.handler.ssl; // for its package-private classes

import io.netty.buffer.ByteBufAllocator;
import java.io.File;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/**
 * TLS 1.3 with ALPN for Debian's Netty: without it, gRPC says "JDK provider does not support ALPN protocol". Netty from Maven
 * needs nothing of this.
 */
public final class Http2Tls {
    public static SslContext forClient(File ca, File certificate, File key) throws Exception {
        var keys = SslContext.buildKeyManagerFactory(
                SslContext.toX509Certificates(certificate), "SunX509", SslContext.toPrivateKey(key, null), null, null, null);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), SslContext.buildTrustManagerFactory(ca, null).getTrustManagers(), null);
        return new JdkSslContext(
                context, true, null, IdentityCipherSuiteFilter.INSTANCE, new Alpn(), ClientAuth.NONE, new String[] {"TLSv1.3"}, false);
    }

    private static final class Alpn extends JdkBaseApplicationProtocolNegotiator {
        Alpn() {
            super(new Engines(), NO_FAIL_SELECTOR_FACTORY, NO_FAIL_SELECTION_LISTENER_FACTORY, List.of("h2"));
        }
    }

    private static final class Engines extends JdkApplicationProtocolNegotiator.AllocatorAwareSslEngineWrapperFactory {
        @Override
        SSLEngine wrapSslEngine(
                SSLEngine engine, ByteBufAllocator allocator, JdkApplicationProtocolNegotiator negotiator, boolean isServer) {
            return new Java9SslEngine(engine, negotiator, isServer);
        }
    }
}
