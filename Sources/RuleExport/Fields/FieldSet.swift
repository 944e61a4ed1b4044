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
    /// For how many events a row stands; nil: for one.
    var weight: String?
    /// What rows of one event share, which is sent again when later records say more of it; nil: each row is one.
    var identity: String?
    /// Fields by the keys that rules group by.
    var fields: [EventKey: String]
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
        case .ip: "source"
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
