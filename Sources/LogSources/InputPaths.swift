import Glibc

/// A file to read, and whether it was named itself or found in a folder or by a pattern.
public struct InputPath: Sendable, Hashable {
    /// The path; `-` for standard input.
    public let path: String
    /// True when it was named itself: then it must be readable.
    public fileprivate(set) var isNamed: Bool
}

/// Turns what a person names into files: files, folders (with all below them), shell patterns, `-`.
public enum InputPaths {
    /// The files in the order of the arguments, within a folder or pattern by name; each file once. Throws
    /// `SourceProblem` for a name that is nothing, and for a folder or pattern without a file.
    public static func expand(_ arguments: [String]) throws -> [InputPath] {
        var result: [InputPath] = []
        var seen: [String: Int] = [:]
        for argument in arguments {
            for input in try expand(argument) {
                if let index = seen[input.path] {
                    // Found in a folder, and named as well.
                    result[index].isNamed = result[index].isNamed || input.isNamed
                } else {
                    seen[input.path] = result.count
                    result.append(input)
                }
            }
        }
        return result
    }

    private static func expand(_ argument: String) throws -> [InputPath] {
        if argument == "-" { return [InputPath(path: "-", isNamed: true)] }
        var status = stat()
        if stat(argument, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { return [InputPath(path: argument, isNamed: true)] }
            let files = try files(below: argument, depth: 0).sorted()
            guard !files.isEmpty else {
                throw SourceProblem(
                    path: argument, reason: "this folder holds no file", hint: "name the folder of the logs")
            }
            return files.map { InputPath(path: $0, isNamed: false) }
        }
        let code = errno
        guard argument.contains(where: { "*?[".contains($0) }) else { throw SourceProblem.system(argument, code) }
        let found = try matches(argument)
        guard !found.isEmpty else { throw SourceProblem(path: argument, reason: "no file matches this pattern") }
        return try found.flatMap { try expand($0) }.map { InputPath(path: $0.path, isNamed: false) }
    }

    private static func matches(_ pattern: String) throws -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0 else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
    }

    /// Regular files below a folder, hidden ones passed over. Links to folders are not followed: they may lead back.
    private static func files(below folder: String, depth: Int) throws -> [String] {
        guard depth < 16, let directory = opendir(folder) else {
            if depth == 0 { throw SourceProblem.system(folder) }
            return []
        }
        defer { closedir(directory) }
        var result: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard !name.hasPrefix(".") else { continue }
            let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
            var link = stat()
            guard lstat(path, &link) == 0 else { continue }
            if link.st_mode & S_IFMT == S_IFDIR {
                result += try files(below: path, depth: depth + 1)
                continue
            }
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG { result.append(path) }
        }
        return result
    }
}
