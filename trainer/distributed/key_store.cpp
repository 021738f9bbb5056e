#include "trainer/distributed/key_store.hpp"

#include <fmt/format.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "common/error.hpp"

namespace trainer {

namespace {

std::string why_no_answer(const World& world, std::chrono::seconds patience) {
  return fmt::format(
      "rank 0 does not answer at {}:{} within {} s; look at its messages, or set MASTER_ADDR and "
      "MASTER_PORT to where it is",
      world.address, world.port, patience.count());
}

std::string why_not_reached(const World& world) {
  return fmt::format(
      "rank 0 listens at port {} and does not reach itself at {}; set MASTER_ADDR to the name of the "
      "machine of rank 0",
      world.port, world.address);
}

std::string why_no_server(const World& world, std::string what) {
  if (what.find("in use") != std::string::npos || what.find("EADDRINUSE") != std::string::npos)
    what = "another program has it";
  else
    what = what.substr(0, what.find('\n'));
  return fmt::format(
      "cannot listen at port {} of {}, at which the {} processes meet: {}; set MASTER_PORT to a free "
      "one, the same for all",
      world.port, world.address, world.size, what);
}

}  // namespace

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
  const auto start = std::chrono::steady_clock::now();
  try {
    state_->store = c10::make_intrusive<c10d::TCPStore>(world.address, options);
  } catch (const std::exception& error) {
    const bool waited = std::chrono::steady_clock::now() - start > patience / 2;
    throw common::Error(common::ErrorKind::io, side == StoreSide::connect ? why_no_answer(world, patience)
                                               : waited                   ? why_not_reached(world)
                                                        : why_no_server(world, error.what()));
  }
}

KeyStore::~KeyStore() = default;

void KeyStore::set(const std::string& key, const std::string& value) {
  state_->store->set(state_->prefix + key, std::vector<std::uint8_t>(value.begin(), value.end()));
}

std::string KeyStore::claim(const std::string& key, const std::string& value) {
  const std::vector<std::uint8_t> there = state_->store->compareSet(
      state_->prefix + key, {}, std::vector<std::uint8_t>(value.begin(), value.end()));
  return {there.begin(), there.end()};
}

std::optional<std::string> KeyStore::find(const std::string& key) {
  const std::string name = state_->prefix + key;
  if (!state_->store->check({name})) return std::nullopt;
  const std::vector<std::uint8_t> value = state_->store->get(name);
  return std::string(value.begin(), value.end());
}

}  // namespace trainer
