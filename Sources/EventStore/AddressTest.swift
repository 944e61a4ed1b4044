import GRDB
import VigilModel

/// How SQL asks whether a column holds an address of a block.
enum AddressTest {
    /// A condition with one argument, `value(block)`: equality for a single address, so that an index serves.
    static func sql(_ column: String, _ block: CIDR) -> String {
        isSingle(block) ? "\(column) = ?" : "within(\(column), ?)"
    }

    /// The argument.
    static func value(_ block: CIDR) -> String {
        isSingle(block) ? block.address.description : block.description
    }

    private static func isSingle(_ block: CIDR) -> Bool { block.prefix == block.address.bitWidth }

    /// `within(address, block)`: SQLite knows no addresses.
    static let function = DatabaseFunction("within", argumentCount: 2, pure: true) { values in
        guard let text = String.fromDatabaseValue(values[0]), let ip = IPAddress(text),
            let block = String.fromDatabaseValue(values[1]).flatMap(CIDR.init)
        else { return false }
        return block.contains(ip)
    }
}
