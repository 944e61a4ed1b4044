import Foundation
import LogSources

/// Unpacks an archive on a thread of its own, some blocks ahead of who reads it, so that unpacking and reading records
/// each have a core. The thread ends with the archive, or when nobody wants it any more.
final class ReadAhead {
    private let queue = Queue()
    private var block: Queue.Block?
    private var at = 0

    /// Bytes of a block, and how many blocks are ahead: some milliseconds of unpacking, since what the others do together
    /// may hold up reading for as long, and the unpacker, which is what all wait for, must not wait for them.
    private static let blockSize = 256 << 10
    private static let depth = 16

    /// Starts at the file's offset. The file must not be read by anyone else from now on.
    init(_ file: LogFile) {
        let queue = queue
        Thread.detachNewThread {
            while let memory = queue.free() {
                do {
                    let count = try file.read(into: memory)
                    queue.put(Queue.Block(memory: memory, count: count, consumed: file.consumed))
                    if count == 0 { return }
                } catch {
                    queue.put(Queue.Block(memory: memory, count: 0, consumed: file.consumed, problem: error))
                    return
                }
            }
        }
    }

    deinit { queue.close() }

    /// Packed bytes that what was read so far took.
    var consumed: Int64 { block?.consumed ?? 0 }

    /// As `LogFile.read`.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        if block == nil || at == block?.count {
            // The last block stays: it says the same each time.
            if let block, block.count > 0 { queue.giveBack(block.memory) }
            if block == nil || block?.count != 0 { block = queue.take() }
            at = 0
        }
        guard let block else { return 0 }
        if let problem = block.problem { throw problem }
        let count = min(buffer.count, block.count - at)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: block.memory[at..<at + count]))
        at += count
        return count
    }

    /// Blocks on their way between the two threads.
    private final class Queue: @unchecked Sendable {
        // Unchecked: every access to the state is under the condition's lock; a block's memory belongs to whoever has it.
        struct Block: @unchecked Sendable {
            var memory: UnsafeMutableRawBufferPointer
            /// 0 at the end.
            var count: Int
            var consumed: Int64
            var problem: (any Error)?
        }

        private let condition = NSCondition()
        private let all: [UnsafeMutableRawBufferPointer]
        private var empty: [UnsafeMutableRawBufferPointer]
        private var full: [Block] = []
        private var isClosed = false

        init() {
            all = (0..<ReadAhead.depth).map { _ in .allocate(byteCount: ReadAhead.blockSize, alignment: 64) }
            empty = all
        }

        deinit { for memory in all { memory.deallocate() } }

        /// Memory to fill; waits for it. Nil when nobody reads any more.
        func free() -> UnsafeMutableRawBufferPointer? {
            condition.withLock {
                while empty.isEmpty && !isClosed { condition.wait() }
                return isClosed ? nil : empty.removeLast()
            }
        }

        func put(_ block: Block) {
            condition.withLock {
                full.append(block)
                condition.broadcast()
            }
        }

        /// The next block; waits for it.
        func take() -> Block {
            condition.withLock {
                while full.isEmpty { condition.wait() }
                return full.removeFirst()
            }
        }

        func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
            condition.withLock {
                empty.append(memory)
                condition.broadcast()
            }
        }

        func close() {
            condition.withLock {
                isClosed = true
                condition.broadcast()
            }
        }
    }
}
