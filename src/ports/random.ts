/** Randomness from the operating system's generator; nothing that an agent could guess or choose. */
export interface Random {
  bytes(count: number): Uint8Array;
}
