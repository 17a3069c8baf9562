package dev.gatepost.gateway.config;

import java.nio.file.Path;

/// Where a value was written: a line and column of a file, or an environment variable.
///
/// @param source the file as it was named, or the variable
/// @param base   the folder that relative paths in the value start from: the file's own, or the working directory
/// @param line   from 1; 0 where there are no lines to point at
public record Place(String source, Path base, int line, int column) {
    public static Place ofFile(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        return new Place(file.toString(), folder == null ? Path.of("/") : folder, 0, 0);
    }

    static Place ofVariable(String name) {
        return new Place(name, Path.of("").toAbsolutePath(), 0, 0);
    }

    public Place at(int line, int column) {
        return new Place(source, base, line, column);
    }

    /// Relative paths in a file are meant from where the file is, not from where the process was started.
    Path resolve(String path) {
        return base.resolve(path).normalize();
    }

    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line + ":" + column;
    }
}
