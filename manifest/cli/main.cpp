// safe-manifest: which samples.
#include "manifest/cli/verbs.hpp"

int main(int argc, char** argv) { return manifest::safe_manifest().run(argc, argv); }
