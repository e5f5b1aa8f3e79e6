import CMPI

/// Single messages without a wait, also where another thread hangs inside MPI: what cannot be done
/// now is to be tried again.
extension MPIChannel {
    /// Begins to send; nil where that could not be done.
    func beginSending(
        _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, to partner: Int
    ) throws(CollectiveError) -> MPI_Request? {
        var request = saccader_no_request()
        let isCalled = try lock.callUnlessStuck("sending to rank \(partner)") {
            MPI_Isend(
                bytes, Int32(count), saccader_byte(), Int32(partner), 0, communicator, &request)
        }
        return isCalled ? request : nil
    }

    /// Whether what was begun is done.
    func isDone(_ request: inout MPI_Request?) throws(CollectiveError) -> Bool {
        var isDone: Int32 = 0
        try lock.callUnlessStuck("sending a sign") {
            MPI_Testall(1, &request, &isDone, saccader_ignore_statuses())
        }
        return isDone != 0
    }

    /// Receives a message if one has arrived; says whether one has.
    func receiveArrived(
        _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, from partner: Int
    ) throws(CollectiveError) -> Bool {
        var isThere: Int32 = 0
        try lock.callUnlessStuck("receiving from rank \(partner)") {
            let status = MPI_Iprobe(
                Int32(partner), 0, communicator, &isThere, saccader_ignore_status())
            guard status == MPI_SUCCESS, isThere != 0 else { return status }
            // All of it is here: this does not wait.
            return MPI_Recv(
                bytes, Int32(count), saccader_byte(), Int32(partner), 0, communicator,
                saccader_ignore_status())
        }
        return isThere != 0
    }
}
