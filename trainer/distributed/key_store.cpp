#include "trainer/distributed/key_store.hpp"

#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "common/error.hpp"

namespace trainer {

struct KeyStore::State {
  c10::intrusive_ptr<c10d::TCPStore> store;
  std::string prefix;
};

KeyStore::KeyStore(const World& world, StoreSide side, std::chrono::seconds patience)
    : state_(std::make_unique<State>()) {
  c10d::TCPStoreOptions options;
  options.port = world.port;
  options.isServer = side == StoreSide::serve;
  options.waitWorkers = false;
  options.timeout = patience;
  state_->prefix = "safe/" + world.attempt + "/";
  try {
    state_->store = c10::make_intrusive<c10d::TCPStore>(world.address, options);
  } catch (const std::exception& error) {
    if (side == StoreSide::serve)
      throw common::Error(
          common::ErrorKind::io,
          fmt::format("cannot listen at port {} of {}, at which the {} processes meet: another "
                      "program has it; set MASTER_PORT to a free one, the same for all",
                      world.port, world.address, world.size));
    throw common::Error(
        common::ErrorKind::io,
        fmt::format(
            "rank 0 does not answer at {}:{} within {} s; look at its messages, or set MASTER_ADDR and "
            "MASTER_PORT to where it is",
            world.address, world.port, patience.count()));
  }
}

KeyStore::~KeyStore() = default;

void KeyStore::set(const std::string& key, const std::string& value) {
  state_->store->set(state_->prefix + key, std::vector<std::uint8_t>(value.begin(), value.end()));
}

std::optional<std::string> KeyStore::find(const std::string& key) {
  const std::string name = state_->prefix + key;
  if (!state_->store->check({name})) return std::nullopt;
  const std::vector<std::uint8_t> value = state_->store->get(name);
  return std::string(value.begin(), value.end());
}

}  // namespace trainer
