// Sends each text to an address: send HOST:PORT ADDRESS TEXT…
// g++ -o send send.cpp -lqpid-proton-cpp
#include <proton/connection.hpp>
#include <proton/container.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/sender.hpp>
#include <proton/tracker.hpp>

#include <iostream>
#include <string>
#include <vector>

class send_handler : public proton::messaging_handler {
    std::string url_;
    std::vector<std::string> texts_;
    size_t sent_ = 0, accepted_ = 0;

  public:
    send_handler(std::string url, std::vector<std::string> texts) : url_(std::move(url)), texts_(std::move(texts)) {}

    void on_container_start(proton::container& container) override { container.open_sender(url_); }

    void on_sendable(proton::sender& sender) override {
        while (sender.credit() > 0 && sent_ < texts_.size()) sender.send(proton::message(texts_[sent_++]));
    }

    // Accepted means on disk.
    void on_tracker_accept(proton::tracker& tracker) override {
        if (++accepted_ < texts_.size()) return;
        std::cout << "accepted " << accepted_ << std::endl;
        tracker.connection().close();
    }
};

int main(int argc, char** argv) {
    if (argc < 4) return 64;
    send_handler handler(std::string(argv[1]) + "/" + argv[2], std::vector<std::string>(argv + 3, argv + argc));
    proton::container(handler).run();
}
