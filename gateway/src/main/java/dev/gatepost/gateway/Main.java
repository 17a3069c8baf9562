package dev.gatepost.gateway;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.Reporter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.UnmatchedArgumentException;

/// The command line: what can be asked of the program, and which exit code says how it went.
@Command(
        name = "gatepost",
        description = "Edge gateway and DNS server that follow Consul's health-checked catalog.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Version.Provider.class,
        subcommands = HelpCommand.class,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:done", "1:a problem in what it was given", "2:wrong usage", "70:a bug"})
public final class Main {
    static final int DONE = 0;
    static final int PROBLEM = 1;
    static final int USAGE = 2;
    static final int BUG = 70;

    private Main() {}

    public static void main(String[] arguments) {
        System.setProperty(LoggerFactory.PROVIDER_PROPERTY_KEY, OwnLog.class.getName());
        System.setProperty(Reporter.SLF4J_INTERNAL_VERBOSITY_KEY, "WARN"); // it would tell each time that it obeys
        System.exit(execute(List.of(arguments)));
    }

    /// `run` as service files have it goes past picocli, whose reading of annotations would be a quarter of a cold start.
    /// Anything else, and any mistake, is picocli's.
    private static int execute(List<String> arguments) {
        boolean named = arguments.size() == 3 && arguments.get(1).equals("--config") && !arguments.get(2).startsWith("-");
        if (arguments.isEmpty() || !arguments.getFirst().equals("run") || (arguments.size() != 1 && !named)) {
            return commandLine().execute(arguments.toArray(String[]::new));
        }
        try {
            return Run.run(named ? Optional.of(Path.of(arguments.get(2))) : Optional.empty(), System.getenv());
        } catch (InterruptedException | RuntimeException e) {
            return reportBug(e, new PrintWriter(System.err, true, System.err.charset()));
        }
    }

    static CommandLine commandLine() {
        return new CommandLine(new Main())
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler((mistake, _) -> explainUsage(mistake))
                .setExecutionExceptionHandler((bug, command, _) -> reportBug(bug, command.getErr()));
    }

    private static int reportBug(Exception bug, PrintWriter err) {
        err.println("gatepost: a bug, please report it with what follows");
        bug.printStackTrace(err);
        return BUG;
    }

    private static int explainUsage(ParameterException mistake) {
        CommandLine command = mistake.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("gatepost: " + message(mistake));
        UnmatchedArgumentException.printSuggestions(mistake, err);
        err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return USAGE;
    }

    private static String message(ParameterException mistake) {
        if (mistake instanceof UnmatchedArgumentException unmatched && mistake.getCommandLine().getParent() == null && !unmatched.isUnknownOption()) {
            String commands = String.join(", ", mistake.getCommandLine().getSubcommands().keySet().stream().sorted().toList());
            return "%s (expected: one of the commands %s)".formatted(unmatched.getUnmatched().getFirst(), commands);
        }
        return String.valueOf(mistake.getMessage());
    }

    @Command(description = "Start with an embedded catalog and sample services, and print what to try.", mixinStandardHelpOptions = true)
    int demo(
            @Option(names = "--port-offset", paramLabel = "N", defaultValue = "0", description = "Added to 8080, 8443, 8053 and 9090.") int portOffset)
            throws Exception {
        return Demo.run(portOffset);
    }

    @Command(
            description = "Run the gateway in the foreground.",
            footer = {"", "SIGTERM and SIGINT drain and exit 0, a second one doesn't wait. SIGHUP rereads the file."},
            mixinStandardHelpOptions = true)
    int run(
            @Option(names = "--config", paramLabel = "FILE", description = "YAML; without it the environment alone configures.") @Nullable Path config)
            throws Exception {
        return Run.run(Optional.ofNullable(config), System.getenv());
    }

    @Command(description = "Report every error of a configuration with its place and what was expected.", mixinStandardHelpOptions = true)
    int check(@Option(names = "--config", paramLabel = "FILE", required = true, description = "YAML.") Path config) {
        return Check.run(config, System.getenv());
    }

    @Command(
            description = "Ask a running gateway which route or DNS answer something gets, and why.",
            footer = {
                "",
                "What has a slash or a port is a URL, anything else a DNS name:",
                "  gatepost explain https://shop.example.com/api",
                "  gatepost explain web.service.consul --type SRV"
            },
            mixinStandardHelpOptions = true)
    int explain(
            @Parameters(paramLabel = "URL-or-NAME", description = "A URL as a client would use it, or a DNS name.") String subject,
            @Option(names = "--admin", paramLabel = "HOST:PORT", description = "The gateway's admin address; 127.0.0.1:9090 by default.") @Nullable String admin,
            @Option(names = "--config", paramLabel = "FILE", description = "Take the admin address from this configuration.") @Nullable Path config,
            @Option(names = "--type", paramLabel = "TYPE", defaultValue = "A", description = "DNS record type; A by default.") String type,
            @Option(names = "--method", paramLabel = "METHOD", defaultValue = "GET", description = "Request method; GET by default.") String method,
            @Option(names = "--header", paramLabel = "NAME:VALUE", description = "A request header; may be repeated.") @Nullable List<String> headers,
            @Option(names = "--client", paramLabel = "ADDRESS", description = "The client's IP address.") @Nullable String client) {
        return Explain.run(
                new Explain.Question(subject, type, method, headers == null ? List.of() : headers, Optional.ofNullable(client)),
                Optional.ofNullable(admin),
                Optional.ofNullable(config),
                System.getenv());
    }

    @Command(
            description = "Read a catalog and report what fabio, Traefik and Gatepost make of each declaration in it, and why they differ.",
            footer = {"", "Exit code 1 where Gatepost rejects a declaration. Without options: what the environment says, else Consul at 127.0.0.1:8500."},
            mixinStandardHelpOptions = true)
    int lint(
            @Option(names = "--config", paramLabel = "FILE", description = "Take the catalog and the rules from this configuration.") @Nullable Path config,
            @Option(names = "--consul", paramLabel = "URL", description = "The Consul agent to read.") @Nullable String consul,
            @Option(names = "--file", paramLabel = "FILE", description = "A file catalog to read.") @Nullable Path file)
            throws InterruptedException {
        return Lint.run(new Lint.Subject(Optional.ofNullable(config), Optional.ofNullable(consul), Optional.ofNullable(file)), System.getenv());
    }

    @Command(description = "Print version, commit, JDK and transports in use.", mixinStandardHelpOptions = true)
    int version() {
        Version.ofThisBuild().describe().forEach(System.out::println);
        return DONE;
    }
}
