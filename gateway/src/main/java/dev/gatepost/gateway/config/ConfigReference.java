package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.Setting.Need;

/// The table of all settings in Markdown, from what the reader itself goes by.
public final class ConfigReference {
    private ConfigReference() {}

    public static String markdown() {
        StringBuilder table = new StringBuilder();
        for (Need need : Need.values()) {
            table.append(switch (need) {
                case NEEDED -> "### Needed\n\n";
                case SOMETIMES -> "\n### Sometimes\n\n";
                case RARELY -> "\n### Rarely\n\n";
            });
            table.append("| key | default | what it is |\n|---|---|---|\n");
            Settings.all().stream().filter(setting -> setting.need() == need).forEach(setting ->
                    table.append("| `%s` | %s | %s |\n".formatted(
                            setting.key(),
                            setting.fallback().isEmpty() ? setting.absent() : "`" + setting.fallback() + "`",
                            setting.meaning())));
        }
        return table.toString();
    }
}
