// safe-packer: which bytes.
#include "packer/cli/verbs.hpp"

int main(int argc, char** argv) { return packer::safe_packer().run(argc, argv); }
