// SPDX-License-Identifier: MIT
// OpenCV's DNN module on one exported network as a worker.
// usage: opencv_worker FOLDER CLASSES SAMPLES CHANNELS HEIGHT WIDTH

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <string>
#include <vector>

#include "bench/worker.h"

namespace {

struct OpenCv {
  cv::dnn::Net network;
  std::vector<cv::Mat> samples;
  cv::Mat result;
};

void infer(void* state, long sample) {
  OpenCv& self = *static_cast<OpenCv*>(state);
  self.network.setInput(self.samples[static_cast<std::size_t>(sample)]);
  self.result = self.network.forward();
}

double output(void* state, long index) {
  return double{static_cast<OpenCv*>(state)->result.ptr<float>()[index]};
}

std::vector<cv::Mat> read_samples(const std::string& folder, long count,
                                  const std::vector<int>& shape) {
  const std::size_t size =
      static_cast<std::size_t>(shape[1]) * static_cast<std::size_t>(shape[2] * shape[3]);
  std::vector<float> all(static_cast<std::size_t>(count) * size);
  bench_read_file((folder + "/samples.f32").c_str(), all.data(), all.size() * sizeof(float));
  std::vector<cv::Mat> samples;
  for (std::size_t first = 0; first < all.size(); first += size) {
    samples.push_back(cv::Mat(shape, CV_32F, all.data() + first).clone());
  }
  return samples;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: opencv_worker FOLDER CLASSES SAMPLES CHANNELS HEIGHT WIDTH\n");
    return 64;
  }
  const auto number = [&](int index) { return std::atoi(argv[index]); };
  const std::string folder = argv[1];
  cv::setNumThreads(1);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  try {
    OpenCv self;
    self.network = cv::dnn::readNetFromONNX(folder + "/float.onnx");
    self.samples = read_samples(folder, number(3), {1, number(4), number(5), number(6)});
    const bench_engine engine = {&self, number(3), number(2), infer, output};
    return bench_serve(&engine, "opencv");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "opencv_worker: %s\n", error.what());
    return 70;
  }
}
