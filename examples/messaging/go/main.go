// Sends texts to an address, or prints so many messages of one:
//
//	go run . send HOST:PORT ADDRESS TEXT…
//	go run . receive HOST:PORT ADDRESS COUNT
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/Azure/go-amqp"
)

func main() {
	if len(os.Args) < 5 {
		log.Fatal("usage: send|receive HOST:PORT ADDRESS TEXT…|COUNT")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	connection, err := amqp.Dial(ctx, "amqp://"+os.Args[2], nil)
	check(err)
	defer connection.Close()
	session, err := connection.NewSession(ctx, nil)
	check(err)
	if os.Args[1] == "send" {
		send(ctx, session, os.Args[3], os.Args[4:])
	} else {
		count, err := strconv.Atoi(os.Args[4])
		check(err)
		receive(ctx, session, os.Args[3], count)
	}
}

func send(ctx context.Context, session *amqp.Session, address string, texts []string) {
	sender, err := session.NewSender(ctx, address, nil)
	check(err)
	for _, text := range texts {
		check(sender.Send(ctx, &amqp.Message{Value: text}, nil)) // an error unless it is accepted, which means on disk
	}
	fmt.Printf("accepted %d\n", len(texts))
}

func receive(ctx context.Context, session *amqp.Session, address string, count int) {
	receiver, err := session.NewReceiver(ctx, address, &amqp.ReceiverOptions{Credit: 10})
	check(err)
	for i := 0; i < count; i++ {
		message, err := receiver.Receive(ctx, nil)
		check(err)
		fmt.Println(message.Value)
		check(receiver.AcceptMessage(ctx, message))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
