#include <fmt/format.h>

#include <memory>

#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/cli/commands.hpp"

namespace packer {

void add_archive(common::Program& program) {
  struct Values {
    ArchiveRequest request;
    std::string form;
  };
  const auto values = std::make_shared<Values>();
  common::Verb& verb = program.add(
      {"archive",
       "Write a pack as one file; a pack that does not verify is refused",
       {"archive experiments/overfitting/data_pack -o safe_overfit_pack.tgz",
        "archive data_pack -o - --format tar.zst"},
       {{1, "the pack is damaged or malformed; nothing is written"}, {3, k_io}, {130, k_interrupted}}});
  verb.path("PACK,--pack,--pack-root", values->request.pack, "Read this pack, a folder or a .tar").required();
  verb.path("--output,--out,-o", values->request.out,
            "Write X.tar, X.tar.zst, X.tgz or X.tar.gz, or - for standard output")
      .required();
  verb.choice("--format", values->form,
              {{"tar", "not compressed"}, {"tar.zst", "by zstd"}, {"tgz", "by gzip"}},
              "Choose the form of what -o - writes")
      .otherwise("tar");
  verb.action([values](const common::CommonFlags& flags) {
    ArchiveRequest& request = values->request;
    request.threads = flags.threads;
    request.verbosity = flags.verbosity();
    if (!values->form.empty())
      request.compression = values->form == "tar.zst" ? Compression::zstd
                            : values->form == "tgz"   ? Compression::gzip
                                                      : Compression::none;
    const ArchiveSummary summary = archive(request);
    common::say(flags, fmt::format("archived {} files, {:.1f} MB", summary.files,
                                   static_cast<double>(summary.bytes) / 1e6));
    if (request.out == "-") {  // where the archive goes nothing else does
      common::say(flags, summary.id.hex() + "  -");
      return 0;
    }
    print_pack(flags, summary.id, request.out.string());
    common::say_next(flags, {"safe-packer", "extract", request.out.string(), "--expect", summary.id.hex()});
    return 0;
  });
}

void add_extract(common::Program& program) {
  struct Values {
    ExtractRequest request;
    TrustFlags trust;
  };
  const auto values = std::make_shared<Values>();
  common::Verb& verb = program.add({"extract",
                                    "Verify an archive while it becomes a folder",
                                    {"extract safe_overfit_pack.tgz --dest experiments/overfitting/data_pack",
                                     "extract data_pack.tar.zst --trust KEY.pub.pem"},
                                    {{1, k_damaged}, {3, k_io}, {4, k_unsigned}, {130, k_interrupted}}});
  verb.path("ARCHIVE", values->request.archive,
            "Read this .tar, .tar.zst, .tgz or .tar.gz, or - for standard input")
      .required();
  verb.path("--dest,--dest-root,--output,--out,-o", values->request.dest, "Write the pack to this folder")
      .otherwise("the pack's own name, here");
  add_trust_flags(verb, values->trust);
  verb.action([values](const common::CommonFlags& flags) {
    ExtractRequest& request = values->request;
    request.expected_id = values->trust.expected_id;
    request.trusted_key = values->trust.trusted_key;
    request.threads = flags.threads;
    request.verbosity = flags.verbosity();
    const ExtractSummary summary = extract(request);
    const std::string shown = request.dest ? request.dest->string() : summary.location.filename().string();
    common::say(flags, fmt::format("extracted {} files, {:.1f} MB{}", summary.files,
                                   static_cast<double>(summary.bytes) / 1e6, values->trust.who_signed()));
    print_pack(flags, summary.id, shown);
    common::say_next(flags, {"safe-trainer", "make-base", "--pack", shown});
    return 0;
  });
}

}  // namespace packer
