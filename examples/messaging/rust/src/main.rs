//! Sends texts to an address, or prints so many messages of one:
//!
//!     cargo run send HOST:PORT ADDRESS TEXT…
//!     cargo run receive HOST:PORT ADDRESS COUNT

use fe2o3_amqp::{types::messaging::Outcome, Connection, Receiver, Sender, Session};
use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, verb, router, address, rest @ ..] = args.as_slice() else {
        return Err("usage: send|receive HOST:PORT ADDRESS TEXT…|COUNT".into());
    };
    let mut connection = Connection::open("rust", format!("amqp://{router}").as_str()).await?;
    let mut session = Session::begin(&mut connection).await?;
    if verb == "send" {
        let mut sender = Sender::attach(&mut session, "sender", address.as_str()).await?;
        for text in rest {
            // Accepted means on disk.
            match sender.send(text.clone()).await? {
                Outcome::Accepted(_) => {}
                other => return Err(format!("not accepted: {other:?}").into()),
            }
        }
        println!("accepted {}", rest.len());
        sender.close().await?;
    } else {
        let mut receiver = Receiver::attach(&mut session, "receiver", address.as_str()).await?;
        for _ in 0..rest[0].parse()? {
            let delivery = receiver.recv::<String>().await?;
            receiver.accept(&delivery).await?;
            println!("{}", delivery.body());
        }
        receiver.close().await?;
    }
    session.end().await?;
    connection.close().await?;
    Ok(())
}
