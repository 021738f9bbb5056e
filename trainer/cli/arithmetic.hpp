// Bits of a run depend on the kernels that OpenBLAS, oneDNN, MKL and ATen choose by the processor, so that a
// newer machine repeats an older one's run only where both use the same ones. Those are fixed here to what
// every x86-64-v3 processor has (AVX2, FMA), unless --arithmetic native asks for the processor's best.
#pragma once

namespace trainer {

// To be called before any library's own code has run, from the program's .preinit_array: OpenBLAS chooses
// when it is loaded, by the environment. Where that says something else, the program is started once more in
// its place, with the right one. Does nothing for verbs that compute nothing, with --arithmetic native, and
// on processors without AVX2 or FMA, whose runs have bits of their own.
void fix_arithmetic(int count, char** words, char** environment);

}  // namespace trainer
