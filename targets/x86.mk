# PCs: an ELF for QEMU, Firecracker and Cloud Hypervisor (PVH), and a CD that boots from BIOS and
# UEFI (GRUB, multiboot2).

x86.ARCH   := x86_64
x86.TRIPLE := x86_64-unknown-none
x86.LINKER := linker/x86.ld
x86.FORMAT := elf

x86.QEMU = qemu-system-x86_64 -machine $(or $(MACHINE),q35) -cpu $(or $(CPU),qemu64) \
  -smp $(or $(SMP),4) -m $(or $(MEM),256M) -nic none \
  $(if $(filter none,$(RNG)),,-device virtio-rng-pci$(comma)addr=6) \
  $(call disk,$(DISK),disk1,virtio-blk-pci$(comma)addr=4) \
  $(call disk,$(DISK2),disk2,virtio-blk-pci$(comma)addr=5) \
  -device isa-debug-exit,iobase=0xf4,iosize=4 \
  $(patsubst %,-kernel %,$(filter-out none,$(or $(KERNEL),target/x86/ochre.elf)))

x86.MKRESCUE = $(firstword $(shell command -v grub-mkrescue grub2-mkrescue i686-elf-grub-mkrescue))

# The CD.
image-x86:
	@rm -rf target/x86/iso && mkdir -p target/x86/iso/boot/grub dist
	cp target/x86/ochre.elf dist/ochre-x86.elf
	@cp dist/ochre-x86.elf target/x86/iso/boot/ochre.elf
	@cp target/x86/initrd.cpio target/x86/iso/boot/
	@cp targets/x86/grub.cfg target/x86/iso/boot/grub/
	$(x86.MKRESCUE) -o dist/ochre-x86.iso target/x86/iso 2>target/x86/grub-mkrescue.log \
	  || { cat target/x86/grub-mkrescue.log; exit 1; }
