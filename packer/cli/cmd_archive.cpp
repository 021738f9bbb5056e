#include <cstdio>
#include <memory>

#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/cli/commands.hpp"

namespace packer {

void add_archive(CLI::App& app, CommonFlags& flags, Command& chosen) {
  const auto request = std::make_shared<ArchiveRequest>();
  CLI::App* verb =
      app.add_subcommand("archive", "write a pack as one file; a pack that does not verify never is");
  verb->add_option("PACK", request->pack, "a pack's folder, or a .tar")->required();
  verb->add_option("-o,--output", request->out, "X.tar, X.tar.zst, X.tgz or X.tar.gz")->required();
  add_common_flags(*verb, flags);
  verb->callback([request, &flags, &chosen] {
    chosen = [request, &flags] {
      request->threads = flags.threads;
      request->verbosity = flags.verbosity();
      const ArchiveSummary summary = archive(*request);
      if (!flags.quiet)
        std::fprintf(stderr, "archived %zu files, %.1f MB\n", summary.files,
                     static_cast<double>(summary.bytes) / 1e6);
      std::printf("%s  %s\n", summary.id.hex().c_str(), request->out.c_str());
      return 0;
    };
  });
}

void add_extract(CLI::App& app, CommonFlags& flags, Command& chosen) {
  struct Values {
    ExtractRequest request;
    std::string dest;
    TrustFlags trust;
  };
  const auto values = std::make_shared<Values>();
  CLI::App* verb = app.add_subcommand("extract", "verify an archive while it becomes a folder");
  verb->add_option("ARCHIVE", values->request.archive,
                   "a .tar, .tar.zst, .tgz or .tar.gz, or - for standard input")
      ->required();
  verb->add_option("--dest", values->dest, "becomes the pack (default: the pack's own name, here)");
  add_trust_flags(*verb, values->trust);
  add_common_flags(*verb, flags);
  verb->callback([values, &flags, &chosen] {
    chosen = [values, &flags] {
      ExtractRequest& request = values->request;
      if (!values->dest.empty()) request.dest = values->dest;
      request.expected_id = values->trust.expected_id();
      request.trusted_key = values->trust.trusted_key();
      request.threads = flags.threads;
      request.verbosity = flags.verbosity();
      const ExtractSummary summary = extract(request);
      const std::string shown = request.dest ? request.dest->string() : summary.location.filename().string();
      if (!flags.quiet)
        std::fprintf(stderr, "extracted %zu files, %.1f MB%s\n", summary.files,
                     static_cast<double>(summary.bytes) / 1e6, values->trust.who_vouches().c_str());
      std::printf("%s  %s\n", summary.id.hex().c_str(), shown.c_str());
      return 0;
    };
  });
}

}  // namespace packer
