//! Services that are started because somebody asked, for a device: file systems, as they are mounted.

use crate::given::SEND;
use crate::service::Id;
use crate::supervisor::Supervisor;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use rt::message::Message;
use rt::service::LEFT;
use rt::{Error, Memory, Port};
use services::control::Failure;
use services::manifest::Trait;

/// What a service calls the disk that it is for.
const BLOCK: &str = "block";
/// Where the number of a client begins in the badge that the server of a disk sees; below is the partition.
const CLIENT: u32 = 8;

impl Supervisor {
    /// Starts a service of a template, with words such as `ro,size=8`; a way to it for whoever asks.
    pub fn start_for(
        &mut self,
        asks: Id,
        kind: &str,
        device: &str,
        words: &str,
    ) -> Result<Port, Failure> {
        let spec = self.templates.iter().find(|spec| spec.names.iter().any(|name| name == kind));
        let spec = spec.ok_or(Failure::NotFound)?.clone();
        let name = format!("{kind}:{device}");
        if self.find(&name).is_some() {
            return Err(Failure::Exists);
        }
        let disk = match spec.has(Trait::Block) {
            true => Some(self.disk(device).ok_or(Failure::NotFound)?),
            false => None,
        };
        let words = words.split(',').filter(|word| !word.is_empty()).map(number);
        let words = words.collect::<Option<_>>().ok_or(Failure::Invalid)?;
        let id = self.add(spec, name, None).map_err(|error| match error {
            Error::NotFound => Failure::NotFound,
            _ => Failure::NoMemory,
        })?;
        let service = self.service(id);
        service.words = words;
        if let Some((server, partition)) = disk {
            service.clients.push((BLOCK.into(), server, id << CLIENT | partition));
        }
        let port = service.port.badged(SEND, asks << CLIENT);
        // Whoever asks does not wait until what cannot be started is given up.
        self.start_due();
        if self.services[&id].lives == 0 {
            self.forget(id);
            return Err(Failure::NoMemory);
        }
        port.map_err(|_| Failure::NoMemory)
    }

    /// A service that was started so is no more, and those that it spoke to hear of it: they may have its memory.
    pub fn forget(&mut self, id: Id) {
        let clients = self.services.remove(&id).map_or(Vec::new(), |service| service.clients);
        for (_, server, badge) in clients {
            let port = self.services.get(&server).map(|it| it.port.badged(SEND, badge));
            // One with too many messages sees by itself who was not there for long.
            let _ = port.map(|port| port?.send(&Message::new(LEFT), 0));
        }
    }

    /// A way to a disk for whoever asks, and so many pages that it reaches.
    pub fn disk_for(&mut self, device: &str, pages: u64) -> Result<(Port, Memory), Failure> {
        let (server, partition) = self.disk(device).ok_or(Failure::NotFound)?;
        let memory = Memory::contiguous(&rt::machine(), pages).map_err(|_| Failure::NoMemory)?.0;
        let badge = self.new_id() << CLIENT | partition;
        let port = self.services[&server].port.badged(SEND, badge);
        port.map(|port| (port, memory)).map_err(|_| Failure::NoMemory)
    }

    /// The server of a disk, and the partition: `vda1` is the first of `vda`, `mmcblk0p2` the second of `mmcblk0`.
    fn disk(&self, device: &str) -> Option<(Id, u64)> {
        self.services
            .iter()
            .find_map(|(&id, service)| {
                let rest = device.strip_prefix(service.name.as_str())?;
                let is_numbered = service.name.ends_with(|last: char| last.is_ascii_digit());
                let partition = match rest {
                    "" => 0,
                    rest if is_numbered => rest.strip_prefix('p')?.parse().ok()?,
                    rest => rest.parse().ok()?,
                };
                Some((id, partition))
                    .filter(|&(_, partition): &(Id, u8)| rest.is_empty() || partition > 0)
            })
            .map(|(id, partition)| (id, partition.into()))
    }
}

/// A word, and its number, which is 1 where there is none.
fn number(word: &str) -> Option<(String, u64)> {
    let (name, value) = word.split_once('=').unwrap_or((word, "1"));
    Some((name.to_string(), value.parse().ok()?))
}
