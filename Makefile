# Ochre's build, run and test commands. `make` alone lists them: the text after `##` is the help.
# What differs by platform is in targets/<platform>.mk; there are no platforms below this line
# but their names.

PLATFORMS := virt rpi x86
include $(PLATFORMS:%=targets/%.mk)

# The architectures for which there are Linux programs.
ARCHES := aarch64 x86_64

# rustup's own folder, for shells that do not know it.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

# The platform of the targets that work on one, and the command line's words besides CMDLINE.
PLATFORM ?= virt
$(if $(filter $(PLATFORM),$(PLATFORMS)),,$(error PLATFORM=$(PLATFORM) is not known: it is one of $(PLATFORMS)))
WORDS = $(strip exit=qemu $(if $(LOG),log=$(LOG)) $(if $(DEMO),run=$(DEMO)) $(CMDLINE))

# tools/setup leaves the name of the toolchain it settled on.
CARGO = RUSTUP_TOOLCHAIN=$(shell cat target/toolchain 2>/dev/null) cargo
PROFILE = $(if $(DEBUG),dev,release)

# One line of QEMU that has the terminal: the platform's machine, then what all have in common. Where
# instructions are counted idle time passes at once; but a disk takes its time, and all that wait for it
# would be late.
QEMU = $(call machine,$*,$(INITRD))

#   $(call machine,platform,initrd)
machine = $($1.QEMU) -display none -no-reboot $(if $(EVENTS),-icount shift=0$(comma)rr=$(EVENTS)) \
  $(if $(ICOUNT),-icount shift=0$(if $(DISK),,$(comma)sleep=off)) $(patsubst %,-initrd %,$(filter-out none,$2)) $(QEMUFLAGS)
comma := ,

# A file as a disk: an id, and the device that it is behind, if QEMU is to be told of one. When its answers arrive is
# among what is recorded as EVENTS.
#   $(call disk,file,id,device)
disk = $(if $1,$(if $(EVENTS),$(replayed),-drive file=$1$(comma)format=raw$(comma)id=$2$(comma)if=$(if $3,none,sd)) \
  $(if $3,-device $3$(comma)drive=$2))
replayed = -drive file=$1$(comma)format=raw$(comma)id=$2-file$(comma)if=none \
  -drive driver=blkreplay$(comma)image=$2-file$(comma)id=$2$(comma)if=none

# What cargo needs to know of a platform. The linker script is a flag of its target, for the test
# kernel's build links the kernel too.
#   $(call platform,platform)
platform = --target $($1.TRIPLE) $($1.FEATURES:%=--features %) --target-dir target/$1 \
  --config 'target.$($1.TRIPLE).rustflags=["-C", "link-arg=-T$($1.LINKER)"]'

# Builds a kernel: cargo, then function names into the ELF, then the file that the platform boots.
#   $(call build,platform,kind of the target,its name,name of the result)
build = $(CARGO) build --quiet --profile $(PROFILE) $2 $3 $(call platform,$1) \
  --message-format json-render-diagnostics | tools/image.py $3 target/$1/$4.$($1.FORMAT)

# Builds the user programs of a platform into its initrd.
#   $(call user,platform)
user = $(CARGO) build --quiet --profile $(PROFILE) $(call programs,$1) \
  --message-format json-render-diagnostics | tools/initrd.py target/$1/initrd.cpio $(MANIFESTS)

# What `init` reads to know what to run: what is shipped, and what it is tested with.
MANIFESTS := services=user/init/services services.test=user/tests/services/services

# What cargo needs to know of the user programs. Platforms with the same processor share them.
#   $(call programs,platform)
programs = --manifest-path user/Cargo.toml --target $($1.TRIPLE) --target-dir target/user \
  --config 'target.$($1.TRIPLE).rustflags=["-C", "link-arg=-T../linker/user.ld", \
  "-C", "link-arg=-zmax-page-size=4096"]'

.DEFAULT_GOAL := help

##@ Set-up

help: ## this list
	@tools/help.py $(MAKEFILE_LIST)

setup: ## install what is missing: Rust targets, QEMU, gdb, image tools
	@tools/setup install

check-deps: ## say what is missing, and install nothing
	@tools/setup check

##@ Build

build: $(PLATFORMS:%=build-%) $(PLATFORMS:%=build-user-%) ## all of it for all platforms

$(PLATFORMS:%=build-%): build-%: setup ## the kernel for one platform, in target/<platform>/
	@$(call build,$*,--bin,ochre,ochre)

$(PLATFORMS:%=build-user-%): build-user-%: setup ## the user programs for one platform, as target/<platform>/initrd.cpio
	@$(call user,$*)

$(PLATFORMS:%=build-tests-%): build-tests-%: setup ## the test kernel for one platform
	@$(call build,$*,--test,qemu,tests)

image: $(PLATFORMS:%=image-%) ## all images
$(PLATFORMS:%=image-%): image-%: build-% build-user-% ## what goes onto a disk, an SD card or a CD, in dist/

size: $(PLATFORMS:%=build-%) ## the kernel's size and lines, against the budget
	@tools/size.py $(PLATFORMS:%=target/%/ochre.elf)

doc: setup ## the kernel's documentation, in target/doc/
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --document-private-items

clean: ## remove target/ and dist/
	rm -rf target dist

##@ Linux programs

userland: $(ARCHES:%=userland-%) ## the Linux programs of userland/programs.txt, unmodified, in target/userland/
$(ARCHES:%=userland-%): userland-%: setup ## those for one architecture; PROGRAMS= are the crates to build
	@tools/userland.py $* $(PROGRAMS)

userland-record: userland ## write the programs' SHA-256 into userland/SHA256SUMS
	@tools/userland.py --record $(ARCHES)

$(ARCHES:%=posix-programs-%): posix-programs-%: setup ## the Linux programs of tests/posix, in target/posix/
	@tools/posix_programs.py $*

linux-setup: ## fetch Debian's kernels, with which Ochre is compared
	@tools/linux.py setup

$(ARCHES:%=uutests-%): uutests-%: setup ## the coreutils' own tests, unmodified, for one architecture, in target/uutests/
	@tools/uutests.py $*

# What tests with Linux programs need, and what record-linux and check-linux do.
LINUX := $(foreach t,userland posix-programs,$(ARCHES:%=$t-%))
COMPARED := linux-setup $(LINUX)

record-linux: $(COMPARED) ## run the scripts of tests/posix on Linux and write down what they do (NAMES=)
	@tests/posix/corpus.py record $(NAMES)

check-linux: $(COMPARED) ## run them on Linux and compare that with what is written down (NAMES=)
	@tests/posix/corpus.py check --on linux $(NAMES)

##@ Run

# Whoever debugs, or runs a demo, gets the platform's own programs; whoever runs or executes the Linux
# programs as well.
$(foreach p,$(PLATFORMS),$(eval debug-$p debug-server-$p: INITRD ?= target/$p/initrd.cpio))
$(foreach p,$(PLATFORMS),$(eval run-$p: INITRD ?= target/$p/$(if $(findstring run=,$(WORDS)),initrd,root).cpio))

# An archive with the native and the Linux programs.
#   $(call root,platform,file)
root = tools/rootfs.py target/userland/$($1.ARCH)/bin $2 --native target/$1/initrd.cpio \
  $(if $(ROOT),--root '$(ROOT)') $(if $(APP),--app '$(APP)')

$(PLATFORMS:%=root-%): root-%: build-user-%
	@$(MAKE) --no-print-directory userland-$($*.ARCH)
	@$(call root,$*,target/$*/root.cpio)

# Demos do without the Linux programs.
$(PLATFORMS:%=run-%): run-%: build-% $(if $(findstring run=,$(WORDS)),build-user-%,root-%) ## boot into a shell on this terminal; DEMO=ipc, coop, preempt, memory or async runs one
	@window=$$(stty size 2>/dev/null | tr ' ' x); \
	  tools/qemu.py $(if $(findstring run=,$(WORDS)),,--shell) $(QEMU) -serial mon:stdio -append "$(WORDS)$${window:+ window=$$window}"

# Whatever is in CMD, neither make nor a shell looks at it on the way.
unexport CMD
quoted = '$(subst ','\'',$1)'
$(PLATFORMS:%=exec-%): exec-%: build-% build-user-% ## be the command CMD= in Ochre: its input, output and status; ROOT=, APP=, ARGS=, LOG=file
	@$(MAKE) -s --no-print-directory userland-$($*.ARCH) >&2
	@root=$$(mktemp --suffix=.cpio) && trap 'rm -f "$$root"' EXIT && $(call root,$*,"$$root") && \
	  tools/exec.py $(if $(LOG),--log '$(LOG)') $(call quoted,$(or $(value CMD),/bin/$(notdir $(APP)) $(ARGS))) \
	  $(subst INITRD-HERE,"$$root",$(call machine,$*,INITRD-HERE)) -append 'exit=qemu log=error stdio=host $(CMDLINE)'

debug: debug-$(PLATFORM) ## boot under gdb, stopped at the kernel's entry (PLATFORM=)
$(PLATFORMS:%=debug-%): debug-%: build-% build-user-%
	@tools/debug.py target/$*/ochre.elf $(QEMU) -append '$(WORDS)'

debug-server: debug-server-$(PLATFORM) ## boot stopped, and wait for a debugger on port 1234
$(PLATFORMS:%=debug-server-%): debug-server-%: build-% build-user-%
	@echo 'Attach with: gdb-multiarch -x tools/gdb.py target/$*/ochre.elf -ex "target remote :1234"'
	@tools/qemu.py $(QEMU) -serial mon:stdio -append '$(WORDS)' -S -gdb tcp:127.0.0.1:1234

resolve: build-$(PLATFORM) ## names for the addresses in a pasted panic (PLATFORM=, FILE= or stdin)
	@tools/resolve.py target/$(PLATFORM)/ochre.elf $(FILE)

##@ Test

# Rust beside the kernel: for Linux, and all of it.
LINUX_WORKSPACES := tests/posix userland/system
WORKSPACES := user $(LINUX_WORKSPACES)

check: fmt-check clippy test-host ## the quick ones: format, lints, host tests

fmt: setup ## format the source
	$(CARGO) fmt
	@$(foreach w,$(WORKSPACES),$(CARGO) fmt --manifest-path $w/Cargo.toml --all &&) true

fmt-check: setup ## fail where the source is not formatted
	$(CARGO) fmt --check
	@$(foreach w,$(WORKSPACES),$(CARGO) fmt --manifest-path $w/Cargo.toml --all --check &&) true

clippy: setup ## lints, for the host and each platform, tests included
	$(CARGO) clippy --quiet --all-targets -- -D warnings
	$(CARGO) clippy --quiet --manifest-path user/Cargo.toml --target-dir target/user --no-default-features \
	  --tests -p volume -p fat -p random -p clock -- -D warnings
	@$(foreach p,$(PLATFORMS),echo clippy $p && \
	  $(CARGO) clippy --quiet --bins --test qemu $(call platform,$p) -- -D warnings && \
	  $(CARGO) clippy --quiet $(call programs,$p) -- -D warnings &&) true
	@$(foreach w,$(LINUX_WORKSPACES),$(foreach a,$(ARCHES),echo clippy $w $a && \
	  $(CARGO) clippy --quiet --manifest-path $w/Cargo.toml --target $a-unknown-linux-musl --target-dir target/posix -- -D warnings &&)) true

TESTED := $(PLATFORMS:%=build-%) $(PLATFORMS:%=build-tests-%) $(PLATFORMS:%=build-user-%)

test: $(LINUX) $(TESTED) image ## all tests, and the count
	@tests/run all

test-ci: test ## what .ci/run runs: all tests

test-host: setup ## tests on this machine
	@tests/run host

CALLS ?= 100000000
fuzz: setup ## so many random calls on a simulated machine (CALLS=), or one run again (SEED=)
	@OCHRE_FUZZ=$(CALLS) tests/run fuzz

test-miri: setup ## the same under Miri, fewer of each; needs a nightly Rust, is skipped without
	@tests/run miri

$(PLATFORMS:%=test-%): test-%: build-% build-tests-% build-user-% image-% ## tests in QEMU on one platform
	@tests/run $*

$(foreach p,$(PLATFORMS),$(eval test-$p: userland-$($p.ARCH) posix-programs-$($p.ARCH)))

test-uutils: build-virt build-user-virt userland-aarch64 posix-programs-aarch64 uutests-aarch64 ## the coreutils' own tests on Ochre (NAMES= are parts of their names)
	@tests/posix/uutils.py check $(NAMES)

test-sessions: $(PLATFORMS:%=build-%) $(PLATFORMS:%=root-%) ## a person at a terminal: job control, line editing, the clock, on all platforms (NAMES=)
	@$(foreach p,$(PLATFORMS),tests/posix/sessions.py --on $p $(NAMES) &&) true

test-storms: build-virt build-x86 build-user-virt build-user-x86 $(LINUX) ## Linux programs that mean harm, and random calls, all of them (NAMES=)
	@tests/posix/storms.py --on virt --smp 1 $(NAMES) && tests/posix/storms.py --on x86 --smp 2 $(NAMES)

KILLS ?= 1000
chaos: build-virt build-x86 build-user-virt build-user-x86 $(LINUX) ## services end at random moments, and nobody notices: virt and x86 (KILLS=)
	@tests/posix/chaos.py --on virt --kills $(KILLS) && tests/posix/chaos.py --on x86 --kills $(KILLS) && \
	  tests/posix/chaos.py --on virt --kills 200 --icount && tests/posix/chaos.py --on virt --kills 200 --record

CUTS ?= 200
power-cuts: build-virt build-user-virt $(LINUX) ## the machine ends at random moments of writing, and volumes stay whole (CUTS=)
	@tests/posix/power_cuts.py --cuts $(CUTS)

IMAGES ?= 200
bad-media: build-virt build-user-virt $(LINUX) ## so many damaged FAT and ext volumes are mounted and used, and nothing else is disturbed (IMAGES=)
	@tests/posix/bad_media.py --images $(IMAGES)

GROUPS := kernel memory stress perf boot syscalls integration services
test-stress test-syscalls test-integration test-perf: $(LINUX)
$(GROUPS:%=test-%): test-%: $(TESTED) image ## one group of the tests in QEMU, on all platforms
	@tests/run $*

test-suite: $(TESTED) image ## the tests whose suite or name is SUITE= (it may have * in it)
	@tests/run '$(SUITE)'

bench bench-boot: $(TESTED) userland-aarch64 posix-programs-aarch64 ## instructions of boot, calls, faults, threads and more, against budgets
	@tests/run --bench

bench-lock: $(PLATFORMS:%=build-%) $(PLATFORMS:%=build-user-%) ## instructions for which the lock is held at most, on each platform
	@$(foreach p,$(PLATFORMS),$(subst target/$p,target/lock/$p,$(call build,$p,--features lock-stats --bin,ochre,ochre)) && \
	  for demo in abitest bench; do timeout 100 $(MAKE) --no-print-directory run-$p DEMO=$$demo SMP=1 ICOUNT=1 \
	  KERNEL=target/lock/$p/ochre.$($p.FORMAT) | tools/lock_hold.py $p $$demo; done &&) true

bench-linux: linux-setup userland posix-programs-aarch64 ## what operations cost a Linux program, on Linux and on Ochre
	@tests/posix/figures.py virt $(NAMES)

# The command that runs a platform's machine, as the tests use it.
$(PLATFORMS:%=qemu-line-%): qemu-line-%:
	@echo $(QEMU)

.PHONY: userland userland-record linux-setup record-linux check-linux bench-linux test-uutils test-sessions test-storms chaos power-cuts bad-media $(LINUX) $(ARCHES:%=uutests-%)
.PHONY: help setup check-deps build image size doc clean debug debug-server resolve check fmt \
  fmt-check clippy test test-ci test-host test-miri test-suite fuzz bench bench-boot bench-lock \
  $(foreach t,build build-user build-tests image root run exec debug debug-server test qemu-line,$(PLATFORMS:%=$t-%)) \
  $(GROUPS:%=test-%)

# Variables that the commands take:
#= PLATFORM=virt     platform of debug, debug-server and resolve: virt, rpi or x86
#= SMP=4             CPUs
#= MEM=256M          RAM (virt, x86)
#= CPU=cortex-a57    the CPU model (virt), CPU=qemu64 (x86)
#= MACHINE=virt      the machine and its options, as in MACHINE=virt,gic-version=3 or MACHINE=pc
#= DTB=              another device tree for rpi, or none
#= CMDLINE=          words for the kernel, as in CMDLINE="hz=250 then=off"
#= LOG=info          what the console shows: error, warn, info, debug or trace
#= INITRD=           another initial RAM disk than the platform's own, or none
#= DISK=file         a disk: virtio (virt, x86) or an SD card (rpi: its length is a power of two)
#= DISK2=file        a second one (virt, x86)
#= RNG=none          no device for random bytes (virt, x86)
#= DEMO=ipc          a program of the initrd that init runs, after which the machine ends
#= DEBUG=1           a build without full optimisation
#= ICOUNT=1          one instruction is one nanosecond: the same figures on every run (but for disks)
#= QEMUFLAGS=        anything else for QEMU
#= CALLS=100000000   how many random calls fuzz makes
#= SEED=             the run that fuzz makes again, as a failure names it
#= CMD='ls / | wc'   what exec-virt and the others run with `sh -c`; their LOG= is a file for the kernel's log
#= ROOT=directory    files laid over the root of the Linux programs
#= APP=./program     one static Linux program put into /bin; what exec-virt runs without CMD=, with ARGS=
#= PROGRAMS=         crates of userland/programs.txt, as in PROGRAMS="coreutils yash-cli"
#= NAMES=            scripts of tests/posix/cases, as in NAMES='trap* fifo*'
#= SUITE=            what test-suite runs, as in SUITE='virt/4 frames*'
