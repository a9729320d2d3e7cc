# Raspberry Pi Zero 2 W, 3 and 4 from one kernel8.img. QEMU knows the 3B, always with four CPUs and
# 1 GiB: fewer CPUs are a device tree with fewer of them.

rpi.ARCH      := aarch64
rpi.TRIPLE   := aarch64-unknown-none-softfloat
rpi.FEATURES := board-rpi
rpi.LINKER   := linker/rpi.ld
rpi.FORMAT   := img

rpi.QEMU = qemu-system-aarch64 -machine $(or $(MACHINE),raspi3b) \
  $(patsubst %,-dtb %,$(filter-out none,$(or $(DTB),target/rpi/rpi3b-$(or $(SMP),4).dtb))) \
  $(call disk,$(DISK),card,) \
  -semihosting-config enable=on,target=native \
  -kernel $(or $(KERNEL),target/rpi/ochre.img)

rpi.TREES := $(patsubst %,target/rpi/rpi3b-%.dtb,1 2 3 4)
build-rpi build-tests-rpi: $(rpi.TREES)

$(rpi.TREES): target/rpi/rpi3b-%.dtb: targets/rpi3b.dts | setup
	@mkdir -p $(@D)
	@dtc -q -O dtb -o $@ $<
	@for cpu in 1 2 3; do [ $$cpu -lt $* ] || fdtput -r $@ /cpus/cpu@$$cpu; done

# The boot folder is to be copied onto an SD card, next to the firmware's files; the same as an
# image of a FAT file system.
image-rpi:
	@rm -rf dist/rpi-boot && mkdir -p dist/rpi-boot
	cp target/rpi/ochre.img dist/kernel8.img
	cp dist/kernel8.img target/rpi/initrd.cpio targets/rpi/* dist/rpi-boot/
	@truncate -s 64M dist/ochre-rpi.img
	mformat -F -v OCHRE -i dist/ochre-rpi.img ::
	mcopy -i dist/ochre-rpi.img dist/rpi-boot/* ::
