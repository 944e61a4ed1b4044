import ArgumentParser
import EventStore
import Foundation
import Vigil
import VigilModel

/// What every command takes.
struct CommonOptions: ParsableArguments {
    @Option(
        help: .init(
            "Configuration file.", discussion: "Default: /etc/pgvigil/pgvigil.yml, if it is there.", valueName: "file"),
        completion: .file(extensions: ["yml"]))
    var config: String?

    @Option(
        help: .init(
            "The store.", discussion: "Default: `store` of the configuration, else ./pgvigil.db.", valueName: "file"),
        completion: .file())
    var store: String?

    /// The configuration; exits with code 2 when something is wrong with it.
    func load() throws -> Configuration {
        do { return try Configuration.load(config) } catch { throw Failure(error, code: 2) }
    }

    /// The configuration file that is read, when there is one.
    var configurationFiles: [String] {
        let path = config ?? ProcessInfo.processInfo.environment["PGVIGIL_CONFIG"] ?? Configuration.defaultPath
        return access(path, F_OK) == 0 ? [path] : []
    }

    /// Path of the store: flag, environment, configuration, default.
    func storePath(_ configuration: Configuration) -> String {
        store ?? ProcessInfo.processInfo.environment["PGVIGIL_STORE"] ?? configuration.store ?? "pgvigil.db"
    }
}

/// Something went wrong: said once, on standard error, with what to do.
struct Failure: Error, CustomStringConvertible {
    let error: any Error
    let code: Int32

    init(_ error: any Error, code: Int32 = 1) {
        self.error = error
        self.code = code
    }

    var description: String { "\(error)" }
}

/// Runs a command's work; an error becomes one message and an exit code: 1 at run time, 2 for wrong configuration.
func reporting(_ work: () throws -> Void) throws {
    do { try work() } catch let exit as ExitCode {
        throw exit
    } catch let failure as Failure {
        Talk.error("\(failure)")
        throw ExitCode(failure.code)
    } catch {
        Talk.error("\(error)")
        throw ExitCode(isConfiguration(error) ? 2 : 1)
    }
}

private func isConfiguration(_ error: any Error) -> Bool {
    error is ConfigurationProblem || error is UnknownRule || error is UnknownExceptionRule || error is UnknownKey
}

/// A time of the command line: RFC 3339, a date, or `now`.
struct TimeArgument: ExpressibleByArgument {
    let time: LogTime

    init?(argument: String) {
        if argument == "now" {
            time = .wallClock
        } else if let parsed = LogTime(parsing: argument) {
            time = parsed
        } else {
            return nil
        }
    }
}

extension Severity: ExpressibleByArgument {}
