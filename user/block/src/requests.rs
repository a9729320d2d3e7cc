//! What the server of a disk is asked.

use crate::{Extent, Geometry, Partition};

protocol::protocol! {
    version 1;
    failures {
        1 Broken "The device says that it failed, or says nothing.";
        2 OutOfRange "There are no such sectors, or they are not the client's, or the memory is too short.";
        3 ReadOnly "It can only be read.";
        4 NotAttached "The server knows of no memory of this client.";
        5 Gone "The device is not there any more, or its service was given up, or makes no sense.";
    } otherwise Gone;
    requests<M> {
        1 Attach<M>(memory: M), Replay,
            "This memory is used from now on, and no other. It is answered when the device has finished with \
             whatever this client asked for before.";
        2 Detach(), Replay, "No memory is used: the client needs it for something else.";
        3 Describe() -> (Geometry, u64), Replay,
            "How the disk is, or the partition; and how many partitions there are.";
        4 Read(extent: Extent), Replay, "Sectors go to the memory.";
        5 Write(extent: Extent), Replay, "Sectors come from the memory.";
        6 Flush(), Replay, "What was written stays without power.";
        7 PartitionAt(nth: u64) -> Partition, Replay, "The how many-th partition, from 0.";
    }
}
