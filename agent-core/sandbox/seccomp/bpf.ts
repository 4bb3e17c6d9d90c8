/** One instruction of classic BPF: `struct sock_filter` of linux/filter.h. */
export interface Instruction {
  code: number;
  jt: number;
  jf: number;
  k: number;
}

const make = (code: number, k: number, jt = 0, jf = 0): Instruction => ({ code, jt, jf, k: k >>> 0 });

/** Loads a 32-bit word of `struct seccomp_data`. */
export const load = (offset: number) => make(0x20, offset);
export const and = (mask: number) => make(0x54, mask);
/** Jumps count instructions to skip when true and when false. */
export const jumpEqual = (value: number, jt: number, jf: number) => make(0x15, value, jt, jf);
export const jumpAtLeast = (value: number, jt: number, jf: number) => make(0x35, value, jt, jf);
export const jumpAnySet = (mask: number, jt: number, jf: number) => make(0x45, mask, jt, jf);
export const end = (action: number) => make(0x06, action);

/** Offsets in `struct seccomp_data`. Arguments are 64 bits wide; both architectures are little-endian. */
export const DATA = {
  number: 0,
  architecture: 4,
  low: (argument: number) => 16 + 8 * argument,
} as const;

/** SECCOMP_RET_* of linux/seccomp.h. */
export const ACTION = {
  allow: 0x7fff0000,
  kill: 0x80000000,
  error: (errno: number) => (0x00050000 | errno) >>> 0,
} as const;

/** The bytes that `bwrap --seccomp FD` reads. */
export function encode(program: Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, jt, jf, k }, index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jt, index * 8 + 2);
    bytes.writeUInt8(jf, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  });
  return bytes;
}
