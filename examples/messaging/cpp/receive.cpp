// Prints so many messages of an address: receive HOST:PORT ADDRESS COUNT
// g++ -o receive receive.cpp -lqpid-proton-cpp
#include <proton/connection.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>

#include <iostream>
#include <string>

class receive_handler : public proton::messaging_handler {
    std::string url_;
    int left_;

  public:
    receive_handler(std::string url, int count) : url_(std::move(url)), left_(count) {}

    void on_container_start(proton::container& container) override {
        container.open_receiver(url_, proton::receiver_options().credit_window(10));
    }

    // What is returned from is accepted; more than was wanted goes back.
    void on_message(proton::delivery& delivery, proton::message& message) override {
        if (left_ == 0) return delivery.release();
        std::cout << proton::get<std::string>(message.body()) << std::endl;
        delivery.accept();
        if (--left_ == 0) delivery.connection().close();
    }
};

int main(int argc, char** argv) {
    if (argc != 4) return 64;
    receive_handler handler(std::string(argv[1]) + "/" + argv[2], std::stoi(argv[3]));
    proton::container(handler).run();
}
