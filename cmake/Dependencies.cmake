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

  # Ranks whose gradients lie on GPUs sum them there.
  set(BIGLITTLE_NCCL OFF)
  if(BIGLITTLE_GLOO AND TARGET torch_cuda)
    find_package(CUDAToolkit REQUIRED)
    find_path(NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
    find_library(NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
    if(NCCL_INCLUDE_DIR AND NCCL_LIBRARY)
      set(BIGLITTLE_NCCL ON)
    endif()
  endif()
  message(STATUS "Sums of gradients between GPUs (NCCL): ${BIGLITTLE_NCCL}")

  # Convolutions in blocks come from the oneDNN that LibTorch brings into the process: a second one beside
  # it would share its symbols. Later major versions have no Winograd.
  find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.hpp)
  find_library(ONEDNN_LIBRARY dnnl)
  set(BIGLITTLE_ONEDNN OFF)
  if(ONEDNN_INCLUDE_DIR AND ONEDNN_LIBRARY AND CMAKE_READELF)
    file(STRINGS ${ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h is_version_2 REGEX "VERSION_MAJOR 2$")
    get_target_property(libtorch_file torch_cpu LOCATION)
    execute_process(COMMAND ${CMAKE_READELF} -d ${libtorch_file} OUTPUT_VARIABLE libtorch_needs)
    if(is_version_2 AND libtorch_needs MATCHES "libdnnl\\.so\\.2")
      set(BIGLITTLE_ONEDNN ON)
    endif()
  endif()
  message(STATUS "Convolutions in blocks (oneDNN 2): ${BIGLITTLE_ONEDNN}")
endif()
