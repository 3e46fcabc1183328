# SPDX-License-Identifier: MIT
# Every third-party library the project uses, found once, each as a target.

find_package(CLI11 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
# Debian's CMake files of libjpeg-turbo want packages that are not needed; its pkg-config file does not.
find_package(PkgConfig REQUIRED)
pkg_check_modules(TURBOJPEG REQUIRED IMPORTED_TARGET libturbojpeg)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(Boost REQUIRED)
find_package(Threads REQUIRED)

# Debian's shared HDF5 brings libcurl and with it thirty libraries; loading them takes 5 ms of every
# start. The archive takes what is used; its unused companions are dropped by --as-needed.
set(HDF5_USE_STATIC_LIBRARIES ON)
find_package(HDF5 REQUIRED COMPONENTS C)

find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_writer.hpp REQUIRED)
add_library(protozero::protozero INTERFACE IMPORTED)
target_include_directories(protozero::protozero INTERFACE ${PROTOZERO_INCLUDE_DIR})

if(BIGLITTLE_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
endif()

if(BIGLITTLE_ENGINE)
  find_package(Torch REQUIRED)
  # Training in several processes: c10d's headers want Gloo's, and LibTorch must have been built with it.
  find_path(GLOO_INCLUDE_DIR gloo/config.h HINTS ${TORCH_INCLUDE_DIRS})
  find_library(GLOO_LIBRARY gloo)
  find_path(C10D_GLOO_INCLUDE_DIR torch/csrc/distributed/c10d/ProcessGroupGloo.hpp
            HINTS ${TORCH_INCLUDE_DIRS})
  if(GLOO_INCLUDE_DIR AND GLOO_LIBRARY AND C10D_GLOO_INCLUDE_DIR)
    set(BIGLITTLE_GLOO ON)
  else()
    set(BIGLITTLE_GLOO OFF)
  endif()
  message(STATUS "Training in several processes (Gloo): ${BIGLITTLE_GLOO}")
endif()
