// common/precompiled.hpp for tests.
#pragma once

#include <doctest/doctest.h>

#include "common/precompiled.hpp"
