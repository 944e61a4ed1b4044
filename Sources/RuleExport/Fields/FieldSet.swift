import VigilModel

/// The rows that an exported rule looks at.
public enum ExportFields: String, CaseIterable, Sendable {
    /// Records as Pigsty's Vector ships them to VictoriaLogs.
    case pigsty
    /// Events as pgvigil ships them.
    case pgvigil
}

/// What a rule asks for, in the fields of some rows.
struct Reading {
    /// Which rows count.
    var condition: Condition
    /// Values of the label `job` that such rows have.
    var jobs: [String]
    /// Pipes that take values out of others, before the condition can be looked at as a whole.
    var pipes: [DerivedPipe] = []
    /// Fields that those make.
    var derived: Set<String> = []
    /// The field with the client's address, without its port.
    var address: String
    /// What a row stands for more than once; nil: one row is one event.
    var weight: String?
    /// Fields by the keys that rules group by.
    var fields: [EventKey: String]
    /// Failed logins that a client repeats at once can be told by their times.
    var tellsRetries = false
}

/// A pipe that makes fields out of others.
struct DerivedPipe {
    let makes: Set<String>
    let text: String
}

/// The labels that alerts are grouped by: Pigsty's words, and names that Alertmanager takes.
enum GroupLabel {
    static func name(_ key: EventKey) -> String {
        switch key {
        case .cluster: "cls"
        case .instance: "ins"
        case .ip: "client"
        case .address: "peer"
        case .user: "user"
        case .targetUser: "target"
        case .database: "db"
        case .object: "object"
        case .operation: "command"
        case .session: "sid"
        case .application: "app"
        case .action: "action"
        case .message: "text"
        case .path: "path"
        default: String(key.rawValue.map { $0 == "." ? "_" : $0 })
        }
    }
}
