import Foundation

/// Servers that are unpacked for tests alone (`beside.sh`).
enum Beside {
    /// Unpacks one, and gives the folder of a copy in the lab that every user can read.
    static func unpack(_ what: String, for lab: Lab) throws -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = tests.appending(path: "../../.build/lab").standardizedFileURL.path
        _ = try Lab.run([tests.appending(path: "beside.sh").path, what, root])
        _ = try Lab.run(["cp", "-r", root + "/" + what, lab.path(what)])
        _ = try Lab.run(["chmod", "-R", "a+rX", lab.path(what)])
        return lab.path(what)
    }
}
