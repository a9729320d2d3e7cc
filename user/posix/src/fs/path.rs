//! From a path to a file, and back.

use super::mount::Mounts;
use super::{Inode, Kind, NAME_MAX, Reader};
use crate::errno::{Errno, Result};
use crate::process::Ids;
use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{
    RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV,
    S_IFDIR,
};

/// Symbolic links that are followed on the way to one file.
const LINKS: u32 = 40;

/// What has the way begin where nothing is above.
pub const SCOPED: u32 = RESOLVE_BENEATH | RESOLVE_IN_ROOT;

/// Who walks.
pub struct Walker<'a> {
    /// The file systems.
    pub mounts: &'a Mounts,
    /// What `/` is.
    pub root: Rc<Inode>,
    /// What may be searched.
    pub ids: &'a Ids,
    /// Who walks, for links that say something else to everybody.
    pub reader: Reader,
    /// Ways that are not gone: `RESOLVE_*`.
    pub resolve: u32,
}

/// What becomes of a path's last name if it is a symbolic link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Last {
    /// It is followed.
    Followed,
    /// It is not, unless a slash comes after it.
    Found,
    /// It never is: the name itself is going to be made, moved or removed.
    Named,
}

/// Where a path leads.
pub struct Found<'a> {
    /// The directory of the last name.
    pub parent: Rc<Inode>,
    /// The last name; empty if the path is that of a root.
    pub name: Cow<'a, [u8]>,
    /// What has the name.
    pub inode: Option<Rc<Inode>>,
    /// The path ends with a slash: only a directory will do.
    pub slash: bool,
}

impl Found<'_> {
    /// What is there.
    pub fn inode(&self) -> Result<Rc<Inode>> {
        let inode = self.inode.clone().ok_or(Errno::ENOENT)?;
        if self.slash && !inode.is_directory() { Err(Errno::ENOTDIR) } else { Ok(inode) }
    }

    /// Refuses a name that nothing can be made at.
    pub fn vacant(&self) -> Result<()> {
        if self.inode.is_some() { Err(Errno::EEXIST) } else { Ok(()) }
    }

    /// Whether the last name is `.`, `..`, or missing.
    pub fn is_dots(&self) -> bool {
        matches!(&*self.name, b"" | b"." | b"..")
    }
}

/// What comes after the slashes that a path begins with.
fn without_slashes(mut path: &[u8]) -> &[u8] {
    while let [b'/', rest @ ..] = path {
        path = rest;
    }
    path
}

impl Walker<'_> {
    /// Walks a path from a directory.
    pub fn walk<'p>(&self, from: &Rc<Inode>, path: &'p [u8], last: Last) -> Result<Found<'p>> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        self.walk_on(from, path, last, &mut LINKS.clone())
    }

    fn walk_on<'p>(
        &self,
        from: &Rc<Inode>,
        path: &'p [u8],
        way: Last,
        links: &mut u32,
    ) -> Result<Found<'p>> {
        let mut at = match path.starts_with(b"/") {
            true if self.refuses(RESOLVE_BENEATH) => return Err(Errno::EXDEV),
            true => self.root.clone(),
            false => from.clone(),
        };
        let mut rest = without_slashes(path);
        if rest.is_empty() {
            let (inode, slash) = (Some(at.clone()), !path.is_empty());
            return Ok(Found { parent: at, name: Cow::Borrowed(b""), inode, slash });
        }
        loop {
            let end = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            rest = without_slashes(after);
            let (last, slash) = (rest.is_empty(), !after.is_empty());
            let directory = at.directory()?;
            at.permit(self.ids, 1)?;
            let inode = match name {
                b"." => Ok(at.clone()),
                b".." if at.is(&self.root) && self.refuses(RESOLVE_BENEATH) => {
                    return Err(Errno::EXDEV);
                }
                b".." => Ok(self.up(&at)),
                _ if name.len() > NAME_MAX => return Err(Errno::ENAMETOOLONG),
                _ => directory.lookup(name).map(|inode| self.mounts.top(inode)),
            };
            let inode = match inode {
                Err(Errno::ENOENT) if last => None,
                inode => Some(inode?),
            };
            if let Some(inode) = &inode {
                self.stay(&at, inode)?;
            }
            if let Some(Inode { kind: Kind::Link(link), .. }) = inode.as_deref()
                && (!last || way == Last::Followed || way == Last::Found && slash)
            {
                *links = links.checked_sub(1).ok_or(Errno::ELOOP)?;
                if self.refuses(RESOLVE_NO_SYMLINKS) {
                    return Err(Errno::ELOOP);
                }
                let target = match link.follow() {
                    Some(inode) => {
                        self.jump(&at, inode.as_ref().ok())?;
                        let (parent, name) = (at.clone(), Cow::Borrowed(name));
                        Found { parent, name, inode: Some(inode?), slash }
                    }
                    None => {
                        let target = link.target(self.reader)?;
                        if target.is_empty() {
                            return Err(Errno::ENOENT);
                        }
                        // Linux asks before it knows where that is.
                        let absolute = target.starts_with(b"/") && !self.refuses(RESOLVE_IN_ROOT);
                        if absolute && self.refuses(RESOLVE_NO_XDEV) {
                            return Err(Errno::EXDEV);
                        }
                        let found = self.walk_on(&at, &target, Last::Followed, links)?;
                        let Found { parent, name, inode, slash: ends } = found;
                        let name = Cow::Owned(name.into_owned());
                        Found { parent, name, inode, slash: slash || ends }
                    }
                };
                if last {
                    return Ok(target);
                }
                at = target.inode()?;
                continue;
            }
            if last {
                return Ok(Found { parent: at, name: Cow::Borrowed(name), inode, slash });
            }
            at = inode.ok_or(Errno::ENOENT)?;
        }
    }

    fn refuses(&self, way: u32) -> bool {
        self.resolve & way != 0
    }

    /// Refuses to go to another file system, if that is not wished.
    fn stay(&self, at: &Inode, to: &Inode) -> Result<()> {
        let other = self.refuses(RESOLVE_NO_XDEV) && at.device != to.device;
        if other { Err(Errno::EXDEV) } else { Ok(()) }
    }

    /// Refuses to go where no path leads, if that is not wished.
    fn jump(&self, at: &Inode, to: Option<&Rc<Inode>>) -> Result<()> {
        if self.refuses(RESOLVE_NO_MAGICLINKS) {
            return Err(Errno::ELOOP);
        }
        to.map_or(Ok(()), |to| self.stay(at, to))?;
        if self.refuses(SCOPED) { Err(Errno::EXDEV) } else { Ok(()) }
    }

    /// The directory above, as far as one gets.
    pub fn up(&self, inode: &Rc<Inode>) -> Rc<Inode> {
        let mut inode = inode.clone();
        while !inode.is(&self.root) {
            match self.mounts.below(&inode) {
                Some(below) => inode = below,
                None => {
                    let parent = inode.directory().ok().and_then(|directory| directory.parent());
                    return parent.map_or(inode, |parent| self.mounts.top(parent));
                }
            }
        }
        inode
    }

    /// The path of a directory: `ENOENT` if it has none any more.
    pub fn path_of(&self, inode: &Rc<Inode>) -> Result<Vec<u8>> {
        let mut names = Vec::new();
        let mut at = inode.clone();
        while !at.is(&self.root) {
            let above = self.up(&at);
            if above.is(&at) {
                return Err(Errno::ENOENT);
            }
            names.push(self.name_in(&above, &at)?);
            at = above;
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        Ok(path)
    }

    /// The name that a directory has in the one above.
    fn name_in(&self, above: &Rc<Inode>, inode: &Rc<Inode>) -> Result<Vec<u8>> {
        let directory = above.directory()?;
        let mut place = 0;
        while let Some(entry) = directory.entry(place)? {
            let found = || directory.lookup(&entry.name).map(|found| self.mounts.top(found));
            if entry.kind == S_IFDIR {
                match found() {
                    Ok(found) if found.is(inode) => return Ok(entry.name),
                    Err(Errno::LATER) => return Err(Errno::LATER),
                    _ => {}
                }
            }
            place = entry.next;
        }
        Err(Errno::ENOENT)
    }
}
