// Key files: a public key that is accepted is written as it was read, and is not one for which anybody signs.
#include "common/sealed/signing_key.hpp"
#include "tests/fuzz/file_of.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <sys/stat.h>

namespace {

void may_refuse_key(const fuzz::FileOf& file, const auto& call) {
  try {
    call();
  } catch (const common::Error& error) {
    ENSURE(error.kind() == common::ErrorKind::usage || fuzz::may_refuse_file(file, error));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::FileOf file("KEY.pem", fuzz::text_of(data, size));
  ::chmod(file.path().c_str(), 0600);
  may_refuse_key(file, [&] {
    const common::PublicKey key = common::read_public_key(file.path());
    ENSURE(!key.is_weak());
    const fuzz::FileOf again("KEY.pub.pem", key.pem());
    ENSURE(common::read_public_key(again.path()) == key);
  });
  may_refuse_key(file, [&] {
    const common::SecretKey key = common::read_secret_key(file.path());
    ENSURE(key.public_key().verifies(common::view_of("text"), key.sign(common::view_of("text"))));
  });
  return 0;
}
