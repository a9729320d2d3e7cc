//! A disk that another service drives, through memory that the supervisor keeps and the device reaches:
//! that is the cache.

use crate::{Disk, Failure, PAGE, Page, Result, SECTOR};
use block::{Client, Extent};
use rt::abi::{MAP_WRITE, PortRights};
use rt::service::{Dma, Grants};
use rt::space::Mapping;
use services::Control;
use services::control::Complain;

/// What such a service calls its disk, and its supervisor.
const BLOCK: &str = "block";
const SUPERVISOR: &str = "supervisor";
const SECTORS: u64 = PAGE as u64 / SECTOR;

/// Such a disk.
pub struct Attached {
    client: Client,
    cache: Mapping,
    sectors: u64,
    is_read_only: bool,
}

impl Attached {
    /// The one that a service was given. When this returns, no device is busy with what a predecessor
    /// has asked for.
    pub fn open(grants: &Grants) -> Result<Attached> {
        let Dma { memory, bytes, .. } = grants.dma();
        let rights = PortRights::SEND | PortRights::TRANSFER | PortRights::DUPLICATE;
        let port = grants.client(BLOCK).duplicate(rights).map_err(|_| Failure::Broken)?;
        let supervisor = grants.find_client(SUPERVISOR);
        let complain = move || {
            // Whether it helps shows in the answer to the request.
            let _ = supervisor.map(|port| Control(port).tell(Complain { service: BLOCK }));
        };
        let mut client = Client::new(port, memory, complain).map_err(failure)?;
        let geometry = client.describe().map_err(failure)?;
        let pages = bytes / PAGE as u64;
        let cache = Mapping::new(memory, 0, pages, MAP_WRITE);
        let cache = cache.map_err(|_| Failure::Broken)?;
        Ok(Attached { client, cache, sectors: geometry.sectors, is_read_only: geometry.read_only })
    }

    /// Whether it cannot be written.
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// The sectors of pages, and the place of these in the memory.
    fn extent(&self, page: u64, at: usize, count: usize) -> Result<Extent> {
        let sector = page.checked_mul(SECTORS).filter(|&first| first < self.sectors);
        let sector = sector.ok_or(Failure::Broken)?;
        let count = (count as u64 * SECTORS).min(self.sectors - sector);
        Ok(Extent { sector, count, offset: (at * PAGE) as u64 })
    }
}

impl Disk for Attached {
    fn cache(&mut self) -> &mut [Page] {
        // SAFETY: the pages are mapped as long as this lives, and aligned. What the device writes there it
        // writes during a request, when nobody has borrowed them.
        unsafe {
            core::slice::from_raw_parts_mut(self.cache.pointer(0), self.cache.pages() as usize)
        }
    }

    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, page: u64, at: usize, count: usize) -> Result<()> {
        let extent = self.extent(page, at, count)?;
        self.client.read(extent).map_err(failure)?;
        let read = extent.bytes() as usize;
        let pages = &mut self.cache()[at..at + count];
        crate::bytes_mut(pages)[read..].fill(0);
        Ok(())
    }

    fn write(&mut self, page: u64, at: usize, count: usize) -> Result<()> {
        let extent = self.extent(page, at, count)?;
        self.client.write(extent).map_err(failure)
    }

    fn flush(&mut self) -> Result<()> {
        self.client.flush().map_err(failure)
    }
}

fn failure(failure: block::Failure) -> Failure {
    match failure {
        block::Failure::ReadOnly => Failure::ReadOnly,
        _ => Failure::Broken,
    }
}
