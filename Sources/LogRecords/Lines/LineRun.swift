/// How far a run over many lines came.
public struct LineRun {
    /// Bytes of the lines that were taken.
    public var taken: Int
    /// Why it ended.
    public var end: End

    /// Why a run ended.
    public enum End {
        /// The rows are to be handed over; the run may go on behind what was taken.
        case rowsFull
        /// What is left of the block is to be seen again with more behind it.
        case needsMore
        /// That many bytes of lines behind what was taken must be taken one by one.
        case oddLines(Int)
    }
}
