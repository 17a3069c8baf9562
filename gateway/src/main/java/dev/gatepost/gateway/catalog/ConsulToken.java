package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The ACL token that every request to Consul carries: a word of the configuration, or the content of a file that is
/// read again whenever it changed, since whoever rotates tokens replaces the file.
final class ConsulToken {
    private static final Logger LOG = LoggerFactory.getLogger(ConsulToken.class);

    private record Read(FileTime modified, long size, String token) {}

    private final String configured;
    private final Optional<Path> file;

    /// Read and replaced by whichever thread asks next; two that do it at once read the same file.
    private volatile Optional<Read> last = Optional.empty();
    private volatile boolean complained;

    ConsulToken(GatewayConfig.Consul consul) {
        this.configured = consul.token();
        this.file = consul.tokenFile();
    }

    /// Empty for none.
    String current() {
        return file.map(this::fromFile).orElse(configured);
    }

    private String fromFile(Path path) {
        try {
            FileTime modified = Files.getLastModifiedTime(path);
            long size = Files.size(path);
            Optional<Read> known = last;
            if (known.isPresent() && known.get().modified().equals(modified) && known.get().size() == size) {
                return known.get().token();
            }
            String token = Files.readString(path).strip();
            last = Optional.of(new Read(modified, size, token));
            complained = false;
            return token;
        } catch (IOException e) {
            if (!complained) {
                complained = true;
                LOG.warn("consul token file {} can't be read ({}), using the token read before", path, e.toString());
            }
            return last.map(Read::token).orElse(configured);
        }
    }
}
